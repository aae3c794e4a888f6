"""`offhook`: the command line. Modules here are light; what a command needs is imported when it runs."""
