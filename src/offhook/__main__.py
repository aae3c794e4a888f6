"""`python -m offhook` is the command line."""

from offhook.apps.cli.main import main

if __name__ == "__main__":
    main()
