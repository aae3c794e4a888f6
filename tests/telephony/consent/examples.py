"""What people write, and what it means: the table that says how opting out is understood."""

from __future__ import annotations

KEYWORD_STOP = (
    "STOP", "stop", "Stop", " stop ", "stop.", "STOP!!!", "“stop”", "'STOP'", "*STOP*", "S.T.O.P", "s t o p",
    "ＳＴＯＰ", "𝐒𝐓𝐎𝐏", "st\u200bop", "\u202estop\u202c", "STOP 🛑", "🛑🛑 stop", "stop\n", "\ufeffSTOP", "stóp",
    "stop stop stop", "STOP STOP", "Stop all", "STOPALL", "stop-all", "quit", "END", "Cancel.", "revoke", "OPT OUT",
    "opt-out", "Opt Out!", "OptOut", "unsubscribe", "UNSUBSCRIBE ALL", "(stop)", "<STOP>", "#stop",
    # Spanish
    "ALTO", "baja", "Parar", "detener",
)  # fmt: skip

FREE_FORM_STOP = (
    # politely alone
    "please stop", "Stop please", "stop, thanks", "Stop it", "Please stop!!", "ok stop now", "STOP THIS",
    "pls unsubscribe",
    "Please unsubscribe me", "unsubscribe me", "opt me out", "stop already", "No. Stop.",
    "hi, please stop, thank you",
    "Stop\n\nSent from my iPhone", "remove me", "remove me please", "take me off", "STOP to end", "do not text",
    "delete me", "please remove my number", "Opting out",
    # a shouted keyword before the rest
    "STOP. Who is this?", "STOP! I never signed up for this", "STOP - you people are crazy",
    "STOP\nwho gave you my number",
    # stop texting
    "Please stop texting me", "stop texting", "Stop texting me!!", "STOP TEXTING ME", "can you stop texting me",
    "Could you please stop texting me?", "i want you to stop texting me", "I'd like you to stop texting me",
    "I need you to stop messaging me please", "I asked you to stop texting me",
    "I told you guys to stop texting me already",
    "stop txting me", "stop fucking texting me", "stop the fuck texting me", "Stop contacting me",
    "stop messaging this number",
    "Please stop texting this number.", "quit texting me", "cease and desist texting me", "please stop spamming me",
    "stop harassing me", "stop bothering me", "Hello, please stop texting me, thank you.",
    "stop calling and texting me",
    "you need to stop texting me", "why don't you stop texting me", "stop texting me anymore",
    "stop texting my phone",
    "Not interested, stop texting me", "no thanks please stop texting", "im not interested please stop texting me",
    "stop texting me or I will call the FCC", "Stop texting me I'm not interested", "stop texting me because i moved",
    "I already paid. Please stop texting me.", "Thanks but please stop texting me",
    "I have a new doctor so please stop texting me",
    "for the last time, stop texting me", "stop\u00a0texting\u00a0me",
    "ｓｔｏｐ ｔｅｘｔｉｎｇ ｍｅ", "s\u0336top texting me",
    "Stop texting me you creeps", "stop texing me", "quit blowing up my phone", "please 🙏 stop texting me",
    "stop texting/calling me",
    "This is the third time I've asked you to stop texting me",
    "how many times do I have to tell you to stop texting me",
    "I moved. Please stop texting.", "Stop messaging me on here", "STOP TEXTING ME MY NAME IS NOT JOHN",
    # stop sending
    "stop sending me texts", "stop sending me these messages", "Please stop sending messages to this number",
    "stop sending texts",
    "stop sending me this crap", "stop with the texts", "stop all texts", "Stop the texts please",
    "stop these messages",
    "stop text messages", "stop messages", "cancel all text messages", "end these texts", "discontinue all messages",
    "no more texts", "No more messages please!", "enough of these texts", "no more of your texts",
    # do not text
    "do not text me", "don't text me", "Don’t text me again", "dont text me anymore", "DO NOT TEXT THIS NUMBER",
    "Do not contact me again", "don't message me", "never text me again", "please don't text me",
    "Dont text or call me",
    "do not call or text me", "do not call or text this number ever again", "don't you ever text me again",
    "Don't send me any more texts", "do not send me messages", "Don't send texts to this number",
    "please do not send any more messages",
    "don't text me, call me", "don't contact me",
    # not wanted
    "I don't want these texts", "i dont want to receive texts", "I do not want to get any more messages from you",
    "I no longer want your texts", "i no longer wish to receive text messages",
    "I don't want any texts from you guys",
    "I do not wish to be contacted", "i don't want to be texted", "I don't want you to text me",
    "don't want your messages",
    "I never want to hear from you again", "I'm no longer interested in receiving texts",
    "I want to stop getting these messages", "I revoke my consent", "I withdraw consent",
    "i revoke all consent to text me",
    "You do not have my permission to text me", "i do not consent to receive texts",
    "you don't have my consent to text me",
    # off the list
    "take me off your list", "Please take me off this list", "Remove me from your list",
    "remove my number from your database",
    "remove this number", "delete my number", "lose my number", "please remove me from your text list",
    "Get me off this list", "Put me on your do not call list", "please take my name off ur list",
    "remove my number from your system please", "can you take me off your contact list",
    "Please delete my number from your records", "take my number off your list and never call again",
    # unsubscribe
    "I want to unsubscribe", "i would like to opt out", "unsubscribe me from these texts",
    "unsubscribe from all messages",
    "opt me out of your messages", "unsubscribe from this list", "How do I unsubscribe?", "how do i opt out",
    "how do i stop these texts", "How can I stop getting these messages", "I opt out",
    "unsubscribe from your texts please",
    # left alone
    "leave me alone", "Leave me the hell alone", "You have the wrong number", "you got the wrong person, stop",
    "Sorry, you have the wrong number",
    # Spanish
    "por favor no me escriban más", "Deje de mandarme mensajes", "ya no me manden mensajes", "no quiero más mensajes",
    "quiero darme de baja", "quítame de la lista", "Quíteme de su lista por favor", "no más mensajes",
    "dejen de molestarme",
    "No quiero recibir sus mensajes", "deja de escribirme", "alto por favor", "borre mi número", "déjame en paz",
)  # fmt: skip

START = (
    "START", "start", "Start.", "ＳＴＡＲＴ", "UNSTOP", "unstop!", "opt in", "Subscribe", "resubscribe", "start start",
    "start texting me again", "please start texting me again", "You can text me again", "resume texts",
    "opt me back in", "i want to receive your texts again", "sign me up again",
    "EMPEZAR", "comenzar",
)  # fmt: skip

HELP = ("HELP", "help", "Help!", "info", "INFO.", "ＨＥＬＰ", "ayuda", "información")

NOTHING = (
    "", " ", "\n", "?", "🛑", "👍", "👋🏽", "\u200b", "…", "0", "555 0142",
    # stop means something else
    "stop by at 5", "I'll stop by at 5", "can you stop the order?", "Please stop the order",
    "stop payment on my check",
    "stop at the store", "which bus stop?", "the bus stop is closed", "is there a stop on Main St", "nonstop flight",
    "stop sign", "my car won't stop making noise", "can you stop by and look at it", "last stop", "full stop",
    "stop the delivery please", "When does the shop stop taking orders?", "Stop the truck, wrong address",
    "Stop, I meant Tuesday", "No stop I meant the blue one", "stop me if you heard this one", "stop worrying",
    "stop in tomorrow",
    "don't stop", "please don't stop", "never stop", "can't stop won't stop", "stop being so nice",
    # the contrary
    "don't stop texting me", "Please don't stop texting me", "do not stop sending me texts", "never stop texting me",
    "I don't want you to stop texting me", "i dont want to unsubscribe", "I don't want to opt out",
    "i did not opt out",
    "I didn't mean to unsubscribe", "why did you stop texting me", "You stopped texting me",
    "did you stop texting me?",
    "why do you keep texting me", "thanks for texting me", "text me", "please text me when it is ready",
    # another list, another thing
    "how do I unsubscribe from the other list", "unsubscribe me from the newsletter emails",
    "how do i cancel my order",
    "please cancel", "please cancel my appointment", "Cancel my order", "cancel the 5pm", "cancel it",
    "I want to cancel",
    "can I cancel?", "I need to cancel tomorrow", "end of the month", "the end", "quit smoking", "I quit my job",
    "remove the rear wheel", "remove me from the 5pm class", "take me off the waiting list", "take 5 off the price",
    "take me off the waitlist", "remove the item from my list", "delete my appointment", "I want out of the lease",
    "revoke the key", "opt out of the insurance", "unsubscribe button is broken",
    # when, not whether
    "don't text me at work", "don't text me before 9", "stop texting me at night", "do not text me while I'm driving",
    "don't text me back", "don't text me the code", "stop texting me so early", "don't contact me by email",
    "please don't call me, text me", "don't call me", "stop calling me", "text only please",
    "please stop emailing me",
    # somebody else's words
    "my ex won't stop texting me", "he said stop texting me", "Reply STOP to unsubscribe", "Text STOP to end",
    "does STOP work?", "what happens if I send stop", "tell them to stop texting my wife",
    "I said stop by, not stop texting",
    "the sign says stop", "my son texts me all day", "Reply STOP to opt out. Msg&data rates may apply.",
    # ordinary
    "yes", "YES", "no", "No thanks", "not interested", "ok", "start at 5", "Can we start at noon?",
    "when do you start",
    "help me choose", "I need help", "more info please", "can you help me", "who is this?", "wrong number, sorry",
    "Wrong number",
    "I gave you the wrong number", "the wrong number is on the invoice", "how much for a tune-up?",
    "restart the router",
    "my phone number is +12025550142", "no more questions", "enough", "no more", "leave it at the door",
    "leave me a voicemail",
    "lose weight", "this is annoying", "go away", "resume is attached", "I want to receive the package",
    "I don't want the blue one", "don't send it yet", "do not send the invoice", "don't send me the bill twice",
    "don't forget my number", "I don't need a text", "i don't have any messages from you", "quiero una cita",
    "para mañana", "no puedo ir", "cancelar mi cita por favor", "la baja presión", "no me manden la factura",
    "alto ahí amigo",
    "cancelar", "text me at this number instead",
    "don't text and drive", "never text and drive", "stop texting and driving", "Please stop texting my wife",
    "don't bother",
    "Don't bother, I'll come by", "don't send me these, send the blue ones", "stop sending this to my email",
    "stop with the nonsense",
    "enough of this", "take me off and put Bob on the 5pm slot", "take me off speaker",
    "you have the wrong number on file",
    "I want to be removed from the lease", "unsubscribe from your service plan", "remove",
    "stop the messages popping up",
    "You can text me again tomorrow", "can you text me again", "STOP: Elm Street and 5th",
    "if you don't stop texting me",
    "stop texting me about the invoice", "you don't have my permission to text my daughter", "never mind",
    "stop sending them",
    "I don't want them", "no more of this", "do not contact the landlord", "contact me",
    "my number is not on the list", "is this number able to get texts", "send me the texts", "spam or eggs?",
)  # fmt: skip
