"""English.

The keywords: 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe; the rest are the
carriers' (facts/telephony.md 4). YES is not among those that start, though Twilio takes it for one: people say it to
agents all day.
"""

from __future__ import annotations

from typing import Final

from offhook.telephony.consent.language import Language

_ME: Final = "me|us|this_number|my_number|my_phone|this_phone|my_cell|my_cell_phone|this_cell|this_cell_phone"
"|this_line"
_TO_ME: Final = "|".join(f"to_{whom}|on_{whom}" for whom in _ME.split("|"))
_TEXTS: Final = (
    "texts|txts|text_messages|txt_messages|messages|msgs|sms|sms_messages|smses|spam|spam_texts|spam_messages"
    "|marketing_texts|marketing_messages|promotional_texts|promotional_messages|solicitations"
)
_ALL_THESE: Final = (
    "?all|any ?more|further|future ?of ?the|these|those|this|your|such ?damn|fucking|stupid|annoying|unwanted"
)
_RUBBISH: Final = "this|these|junk|crap|shit|bullshit|stuff|nonsense|ads|advertisements"
_RUDELY: Final = "?fucking|fuckin|freaking|damn|goddamn|bloody|the_fuck|the_hell|tf"
_TEXTING: Final = (
    "texting|texing|txting|messaging|contacting|spamming|bothering|harassing|annoying|pestering|bugging|smsing"
    "|texting_and_calling|calling_and_texting|calling_or_texting|texting_or_calling"
)
_TEXT: Final = (
    "text|txt|message|msg|contact|spam|sms|call_or_text|text_or_call|text_or_message|message_or_text|contact_or_text"
    "|call_or_message|text_and_call|call_and_text|bother|disturb"
)
_DO_NOT: Final = "do_not|dont|never|do_not_ever|dont_ever|dont_you_ever|dont_you_dare|you_may_not|you_cannot"
_LIST: Final = (
    "list|lists|text_list|texting_list|sms_list|call_list|calling_list|contact_list|contacts|contacts_list"
    "|mailing_list"
    "|marketing_list|message_list|messaging_list|text_message_list|texting_lists|call_lists|database|system"
    "|distribution_list|subscriber_list|subscribers|phone_list|records"
)
_NUMBER: Final = "my|this number|phone_number|contact|contact_info|cell|cell_number"
_SIGNATURE: Final = "sent from my iphone|android|phone|ipad|galaxy"
_INSULTS: Final = "?you ?fucking assholes|asshole|jerks|jerk|idiots|idiot|creeps|creep|scammers|scammer|fuckers|people"
_STOP: Final = "stop|quit|cease|discontinue|halt"

LANGUAGE: Final = Language(
    tag="en",
    stop=(
        "stop", "stop all", "stopall", "quit", "end", "revoke", "cancel", "unsubscribe", "unsubscribe all", "opt out",
        "optout",
    ),
    start=("start", "unstop", "subscribe", "resubscribe", "opt in", "optin", "opt back in"),
    help=("help", "info"),
    alone=(
        "stop ?all|it|this|that", "stopall", "stop to end|stop|cancel|unsubscribe|opt_out", "unsubscribe|unsub ?all",
        "opt_out|optout|opting_out", "revoke", "remove|delete me|us", "take me|us off",
        "can|could|would|will you|u please stop|remove|delete ?it|this|me|us",
        f"{_DO_NOT} text|txt|message|msg|contact",
    ),
    manners=(
        "please", "pls", "plz", "plse", "kindly", "thanks", "thank_you", "thx", "ty", "now", "right_now", "immediately",
        "already", "ok", "okay", "k", "no|nope", "hi|hello|hey ?there", "sorry", "just", "omg", "wtf", "ffs", "jesus",
        "god", "seriously", "sir", "maam", "guys", "dude", "bro", "lol", "damn ?it", "dammit", "enough", "anymore",
        "im|i_am not interested", "not interested", "i ?already said", "i want|need you to", "ive|i asked|told you to",
        "who is this", "wrong number|person", "have a nice|good day", "god bless", _SIGNATURE, _INSULTS,
    ),
    clauses=(
        f"{_STOP} {_RUDELY} ?all {_TEXTING}",
        f"stop ?with {_ALL_THESE} text|txt|sms|texting|messaging",
        "unsubscribe|unsub me|us", "opt me|us out",
    ),
    revocations=(
        # stop texting me
        f"{_STOP}|cease_and_desist {_RUDELY} ?all {_TEXTING} {_ME}",
        "stop|quit blowing up my|this phone",
        "stop|quit writing ?to me",
        f"stop|quit {_RUDELY} sending|with ?me|us {_ALL_THESE} {_TEXTS} ?{_TO_ME}",
        f"stop|quit {_RUDELY} sending me|us {_ALL_THESE} {_RUBBISH}",
        f"{_STOP}|end|cancel {_ALL_THESE} {_TEXTS} ?{_TO_ME}",
        f"no_more|enough|no_further ?of {_ALL_THESE} {_TEXTS} ?{_TO_ME}",
        # do not text me
        f"{_DO_NOT} {_RUDELY} {_TEXT} {_ME}",
        "do_not|dont|never write to me",
        f"{_DO_NOT} send ?me|us {_ALL_THESE} {_TEXTS} ?{_TO_ME}",
        # I do not want your texts
        f"?i do_not|dont|no_longer|never ?ever want|wish|need|consent|agree|care ?to ?get|receive|getting|receiving"
        f" {_ALL_THESE} {_TEXTS} ?from ?you|your_company|you_guys|this_number|here ?{_TO_ME}",
        f"?i want|would_like|wish to stop getting|receiving {_ALL_THESE} {_TEXTS} ?from_you",
        f"i_am|im not|no_longer interested in ?getting|receiving {_ALL_THESE} {_TEXTS} ?from_you",
        "?i do_not|dont|no_longer want|wish|consent|agree to be texted|contacted|messaged|spammed ?by_you",
        "?i do_not|dont want|wish|need you to text|message|contact me",
        "?i do_not|dont|never ?ever want to ?ever hear from you|you_guys|you_people|your_company",
        f"?i do_not|dont|no_longer want|wish to be on your|this|the|any {_LIST}",
        "i revoke|withdraw|retract|rescind ?my|all|any consent|permission ?to_text_me|to_contact_me|to_message_me"
        "|to_be_texted|to_be_contacted|to_receive_texts",
        "?you do_not|dont|no_longer have my|any consent|permission to_text|to_contact|to_message me",
        "you are not allowed|authorized to text|contact|message me",
        # take me off
        "remove|delete|erase|take|drop|get|scrub me|us|my_number|this_number|my_name|my_phone|my_phone_number|my_cell"
        "|my_info|my_information|this_phone_number|my_contact|my_details from|off|out|off_of|out_of ?all ?of"
        f" your|this|the|any|ur|these {_LIST}",
        f"remove|delete|erase|lose|forget|block {_NUMBER}",
        "put me|this_number|my_number on ?your|the do_not_call|do_not_text|do_not_contact|dnc list",
        # unsubscribe
        "unsubscribe|unsub|opt_out|optout|opt_me_out|opt_us_out ?me|us|my_number|this_number from|of|out_of ?all"
        "|any ?of"
        f" ?your|these|this|the|all {_TEXTS}|{_LIST}|you|everything",
        "?i|id want|would_like|wish|need|like to unsubscribe|opt_out|be_unsubscribed|be_opted_out",
        f"?i|id want|would_like|wish|need|like to be removed|taken|deleted|unsubscribed from|off ?of your|this|the"
        f"|all {_LIST}",
        "i am|im opting_out|unsubscribing",
        "im opting_out|unsubscribing",
        "i unsubscribe|opt_out|unsubscribed|opted_out",
        "how do|can|would i unsubscribe|opt_out|get_off_this_list|get_off_your_list",
        f"how do|can|would i stop|end|stop_getting|stop_receiving|get_rid_of {_ALL_THESE} {_TEXTS}",
        # leave me alone
        "leave me|us ?the_fuck|the_hell alone",
        "you have|got the wrong number|person",
        "you_are|youre texting|messaging|contacting the wrong number|person",
        "youve got the wrong number|person",
    ),
    resumptions=(
        "start|resume|restart texting|messaging me",
        "start|resume|restart sending ?me ?the|your texts|messages|text_messages",
        "resume ?the|your|all texts|messages|texting|text_messages",
        "you can|may text|message me again",
        "?i want|would_like|wish to get|receive ?the|your texts|messages|text_messages again",
        "opt me|us ?back in",
        "i opt ?back in",
        "?i want|would_like|wish to opt|subscribe ?back in|again",
        "subscribe|resubscribe me",
        "sign me up again",
    ),
    openers=(
        "please", "pls", "plz", "plse", "pleas", "kindly", "hi|hello|hey ?there", "dear", "sir", "ok", "okay",
        "no|nope", "thanks", "thank_you", "not interested", "im|i_am not interested", "sorry", "so", "and", "but",
        "also",
        "just", "again", "seriously", "for the love of god", "omg", "wtf", "ffs", "jesus", "look", "listen", "yo",
        "bro",
        "dude", "lol", "well", "then", "yeah", "yes", "good morning|afternoon|evening", "who is this", "i said",
        "i already said", "can|could|would|will|why_dont you|u|yall", "you|yall need|have|better ?to",
        "you must|should",
        "i want|need|would_like|wish|demand|ask|am_asking|request|insist|require ?that you|u|yall|you_guys|you_people"
        " ?to", "id_like|id_like_for|im_asking|i_beg you|u|you_guys to",
        "?i ive|have|already|had asked|told you ?guys ?repeatedly|before|already|many_times|twice|once to",
        "i asked|told you ?guys ?repeatedly|before|already|many_times|twice|once to",
        "how many times do i have|need to tell|ask you to",
        "for_the|this_is_the first|second|third|last|2nd|3rd time",
        "once again", "as i said", "wrong number|person", "final warning", "?effective immediately", "go ahead and",
    ),
    closers=(
        "please", "pls", "plz", "thanks", "thank_you", "thx", "ty", "thank_u", "now", "right_now", "immediately",
        "at_once", "asap", "today", "already", "anymore", "any_more", "no_more", "any_longer", "ever", "again",
        "forever", "permanently", "for_good", "altogether", "completely", "from_now_on", "going_forward",
        "here|on_here", "to|on|at this|my number|phone|cell|cell_phone|phone_number", "ok", "okay", "k", "sir", "maam",
        "guys", "dude", "bro", "man", "lol", "god", "ffs", "wtf", "damn ?it", "dammit", _INSULTS, "at all", "so much",
        "have a nice|good day", "god bless", _SIGNATURE, "for the last time", "i said", "i beg you",
        "im|i_am not interested", "not interested", "sincerely", "regards", "once and for all",
    ),
    joints=("and", "but", "so", "or", "then", "also", "however"),
    breaks=(
        "and", "but", "or", "because", "cause", "cuz", "bc", "since", "i", "im", "ive", "ill", "id", "you", "youre",
        "u",
        "ur", "this is", "its", "it is", "we", "who", "they", "my", "there is", "not", "no", "last", "per",
    ),
)  # fmt: skip
