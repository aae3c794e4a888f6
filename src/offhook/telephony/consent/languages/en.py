"""English.

The keywords: 47 CFR 64.1200(a)(10) names stop, quit, end, revoke, opt out, cancel and unsubscribe; the rest are the
carriers' (facts/telephony.md 4). YES is not among those that start, though Twilio takes it for one: people say it to
agents all day.
"""

from __future__ import annotations

from typing import Final

from offhook.telephony.consent.language import Language

# What is texted, and to whom -----------------------------------------------------------------------------------------

_ME: Final = (
    "me|us|this_number|my_number|my_phone|this_phone|my_cell|my_cell_phone|this_cell|this_cell_phone|this_line"
    "|my_phone_number|this_phone_number|my_#|this_#"
)
_TO_ME: Final = "|".join(f"to_{whom}|on_{whom}" for whom in _ME.split("|"))
_YOU: Final = "you|u|ya|yall|you_guys|you_people|your_company|this_number|here"
_FROM_YOU: Final = "|".join(f"from_{whom}" for whom in _YOU.split("|"))
_MANY: Final = (
    "texts|txts|text_messages|txt_messages|messages|msgs|sms|sms_messages|smses|spam|spam_texts|spam_messages"
    "|marketing_texts|marketing_messages|promotional_texts|promotional_messages|solicitations"
    "|text_alerts|text_notifications|text_reminders"
)
_ONE: Final = "text|txt|message|msg|text_message|txt_message|sms_message"
_TEXTS: Final = f"{_MANY}|{_ONE}"
_KINDS: Final = "alerts|notifications|reminders|promotions|promos"
_ALL_THESE: Final = (
    "?all|any|no ?more|further|future ?of ?the|these|those|this|your|ur|yalls"
    " ?such ?damn|fucking|stupid|annoying|unwanted|political|automated|appointment|marketing"
)
_RUBBISH: Final = "this|these|junk|crap|shit|bullshit|stuff|nonsense|ads|advertisements"
_NUMBER: Final = "number|phone_number|contact|contact_info|cell|cell_number|#"
_LIST: Final = (
    "list|lists|text_list|texting_list|sms_list|call_list|calling_list|contact_list|contacts|contacts_list"
    "|mailing_list"
    "|marketing_list|message_list|messaging_list|text_message_list|texting_lists|call_lists|database|system"
    "|distribution_list|subscriber_list|subscribers|phone_list|records|phone"
)
_FROM_ALL: Final = (
    "from|of|off|out_of|off_of ?all|any ?of ?your|ur|these|those|this|the|any|all ?future|further"
    f" {_MANY}|{_KINDS}|{_LIST}|you|u|everything|this"
)

# What is done --------------------------------------------------------------------------------------------------------

_STOPPED: Final = "stop|stopp|sotp|stpo|stahp|st0p"
_STOP: Final = f"{_STOPPED}|quit|cease|discontinue|halt|desist"
_UNSUBSCRIBE: Final = "unsubscribe|unsub|un_subscribe|unsubcribe|unsuscribe|unsubscibe|unsubsribe|opt_out|optout"
_RUDELY: Final = (
    "?fucking|fuckin|fcking|fking|fkn|fing|f_ing|effing|frickin|freaking|damn|goddamn|bloody|the_fuck|the_hell|tf"
)
_TEXTING: Final = (
    "texting|textin|textng|texing|txting|txtin|txtng|txtn|messaging|messagin|msging|msgin|contacting|spamming"
    "|bothering|harassing|harrassing|annoying|pestering|bugging|smsing|soliciting"
    "|texting_and_calling|calling_and_texting|calling_or_texting|texting_or_calling"
)
_TEXT: Final = (
    "text|txt|message|msg|contact|spam|sms|call_or_text|text_or_call|text_or_message|message_or_text|contact_or_text"
    "|call_or_message|text_and_call|call_and_text|bother|disturb"
)
_DO_NOT: Final = "do_not|dont|dnt|don_t|never|do_not_ever|dont_ever|dont_you_ever|dont_you_dare|you_may_not|you_cannot"
_DO_NOT_WANT: Final = "?i|we do_not|dont|no_longer|never ?ever want|wanna|wish|need|consent|agree|care"
_WANT: Final = "?i|id|we|wed want|would_like|wish|need|like"
_I_WILL: Final = "i_will|ill|i_am_going_to|im_going_to|im_gonna|ima"
_REPEATEDLY: Final = "repeatedly|before|already|many_times|multiple_times|several_times|twice|once"
_CONSENT: Final = "?my|our|any|all ?prior consent|permission"
_TO_TEXT: Final = "to_text|to_contact|to_message|for_you_to_text|for_you_to_contact|for_you_to_message"
_BE_TEXTED: Final = "texted|contacted|messaged|spammed"

# What stands around it -----------------------------------------------------------------------------------------------

_COURTESIES: Final = (
    "please", "pls", "plz", "plse", "kindly", "thanks", "thank_you", "thx", "ty", "and thanks|thank_you", "now", "ok",
    "okay", "k", "hi|hello|hey ?there", "sorry", "just", "yes", "sir", "maam",
)  # fmt: skip
_SIGNATURE: Final = "sent from my iphone|android|phone|ipad|galaxy"
_INSULTS: Final = (
    "?you ?fucking assholes|asshole|jerks|jerk|idiots|idiot|creeps|creep|scammers|scammer|fuckers|people"
    "|loser|losers|weirdo|weirdos|freaks|bastards"
)

LANGUAGE: Final = Language(
    tag="en",
    stop=(
        "stop", "stop all", "stopall", "quit", "end", "revoke", "cancel", "unsubscribe", "unsubscribe all", "opt out",
        "optout",
    ),
    start=("start", "unstop", "subscribe", "resubscribe", "opt in", "optin", "opt back in"),
    help=("help", "info"),
    alone=(
        f"{_STOPPED} ?all|it|this|that", f"{_STOPPED} {_STOPPED} ?{_STOPPED}", "stopall", "stoptexting",
        "make it|this stop", "cease and desist|desist", "stop to end|stop|cancel|unsubscribe|opt_out",
        f"{_UNSUBSCRIBE} ?all", "opting_out", "revoke", "remove|delete me|us", "take me|us off",
        "can|could|would|will you|u please stop|remove|delete ?it|this|me|us",
        "?can|could|would|will ?you|u ?please stop|quit sending ?these",
        f"{_DO_NOT} text|txt|message|msg|contact|call_or_text|text_or_call", "no texts|text_messages|txts",
    ),
    manners=(
        *_COURTESIES, "right_now", "immediately", "already", "no|nope", "omg", "wtf", "ffs", "jesus", "god",
        "seriously", "guys", "dude", "bro", "damn ?it", "dammit", "enough", "anymore", "im|i_am not interested",
        "not interested", "i ?already said", "i want|need you to", "ive|i asked|told you to", "who is this",
        "wrong number|person", "have a nice|good day", "god bless", _SIGNATURE, _INSULTS,
    ),
    bare=(f"{_STOPPED} ?all", "stopall", f"{_UNSUBSCRIBE} ?all|me|us", "opt_me|us out", "remove me|us"),
    courtesies=_COURTESIES,
    jests=("lol|lmao|lmfao|rofl|haha|ha_ha|hahaha|hehe|jk|just_kidding|funny|hilarious|making_me_laugh",),
    conditions=("if|when|whenever|once|until|till|unless|before|after|while|as_soon_as|in_case",),
    clauses=(
        f"{_STOP} {_RUDELY} ?all {_TEXTING}",
        f"stop ?with|w {_ALL_THESE} texting|messaging",
        f"{_STOP}|no_more {_ALL_THESE} {_KINDS}",
        f"{_STOP} {_ONE}", "no_more texting|messaging",
        f"turn|switch|shut off {_ALL_THESE} {_MANY}|{_KINDS}",
        "?i_request|i_want cease|cease_and_desist|stop|end|no_further|no_more ?all|any ?further"
        " contact|communication|communications ?with|to ?me|us",
        f"{_DO_NOT} text|txt|message|msg|contact|call_or_text|text_or_call again|ever_again|anymore|any_more",
        f"{_UNSUBSCRIBE} {_ME}", "take|remove my_number|this_number off|out",
        f"{_WANT} to be_unsubscribed|be_opted_out|{_UNSUBSCRIBE}",
        f"can|could|may|how_do|how_can|how_would|how_to ?i|we|you|u {_UNSUBSCRIBE}|be_removed",
        "?i|we do_not|dont|no_longer want|wish to receive|get these|those",
        # STOP, and why
        "stop i dont_know|do_not_know you|who_this_is|who_you_are",
        "stop you|you_have|youve got|have|the ?the wrong number|person",
        f"stop ?now or {_I_WILL} call|report|sue|block ANYTHING",
        "stop im|i_am serious|not_interested|not_joking|blocking_you|reporting_you|reporting_this",
        f"if you|u ?ever text|message|contact me|us again {_I_WILL} report|sue|block ANYTHING",
        f"{_I_WILL} report|sue|block you|u if you|u ?ever text|message|contact me|us again",
        "?i|ive ?already texted|replied|sent|typed|wrote stop ?twice|before|many_times",
    ),
    revocations=(
        # stop texting me
        f"{_STOP}|cease_and_desist ?from {_RUDELY} ?all {_TEXTING} {_ME}",
        f"{_STOP} {_RUDELY} {_TEXTING} me|us with {_ALL_THESE} {_MANY}|{_KINDS}",
        "stop ?to text|txt|message|msg|marketing_to|advertising_to me|us",
        f"cancel|end my|the|this subscription to {_ALL_THESE} {_MANY}",
        f"how do|can i|we get|make you|yall ?to stop {_TEXTING} {_ME}",
        "stop|quit blowing up my|this phone",
        "stop|quit writing ?to me",
        f"stop|quit {_RUDELY} sending|with|w ?me|us {_ALL_THESE} {_TEXTS}|{_KINDS} ?{_TO_ME}",
        f"stop|quit {_RUDELY} sending me|us {_ALL_THESE} {_RUBBISH}",
        f"{_STOP}|end|cancel {_ALL_THESE} {_MANY} ?{_TO_ME}",
        f"no_more|enough|no_further|done_with ?of|with {_ALL_THESE} {_MANY} ?{_TO_ME} ?{_FROM_YOU}",
        # do not text me
        f"{_DO_NOT} {_RUDELY} {_TEXT} {_ME}",
        "do_not|dont|never write to me",
        f"{_DO_NOT} send ?me|us {_ALL_THESE} {_MANY} ?{_TO_ME}", f"{_DO_NOT} send ?me|us ?any ?more {_ONE}",
        f"{_DO_NOT} send me|us a|another {_ONE} again|ever_again",
        f"{_DO_NOT} send ?me|us anymore {_MANY}", f"{_DO_NOT} send me|us anything ?else|more",
        # I do not want your texts
        f"{_DO_NOT_WANT} ?to ?get|receive|getting|receiving {_ALL_THESE} {_MANY}|{_KINDS} ?{_FROM_YOU} ?{_TO_ME}",
        f"{_WANT} to stop getting|receiving {_ALL_THESE} {_TEXTS} ?{_FROM_YOU}",
        f"i_am|im|were|not|no_longer ?not|no_longer interested in ?getting|receiving {_ALL_THESE} {_MANY}"
        f" ?{_FROM_YOU}",
        f"?i|we do_not|dont|no_longer want|wish|consent|agree to be|being {_BE_TEXTED} ?by_you|by_your_company|again",
        "?i|we do_not|dont want|wish|need you to text|message|contact me|us",
        f"?i|we do_not|dont|never ?ever want_to|wanna ?ever hear from {_YOU}",
        f"?i|we do_not|dont|no_longer want|wish|wanna ?to be on your|ur|this|the|any {_LIST}",
        # consent taken back, or never given
        f"?i|we ?hereby revoke|withdraw|retract|rescind {_CONSENT} ?{_TO_TEXT} ?{_ME}",
        f"?i|we ?hereby revoke|withdraw|retract|rescind {_CONSENT} to be {_BE_TEXTED}",
        f"?i|we ?hereby revoke|withdraw|retract|rescind {_CONSENT} to receive|get {_ALL_THESE} {_MANY} ?{_FROM_YOU}",
        f"?you do_not|dont|no_longer have {_CONSENT} {_TO_TEXT} {_ME}",
        f"i never_gave|didnt_give|did_not_give you|u ?my|any consent|permission {_TO_TEXT} {_ME}",
        f"i never_consented|never_agreed|didnt_consent|did_not_consent to {_ALL_THESE} {_MANY}",
        "you are|r not allowed|authorized to text|contact|message me|us",
        # take me off
        "remove|delete|erase|take|drop|get|scrub me|us|my_number|this_number|my_name|my_phone|my_phone_number|my_cell"
        "|my_info|my_information|this_phone_number|my_contact|my_details|my_#|this_# from|off|out|off_of|out_of"
        f" ?all ?of ?your|this|the|any|ur|these|all {_LIST}|{_MANY}",
        f"remove from ?your|this|the|all {_LIST}",
        f"remove|delete|erase|lose|forget my|this {_NUMBER}",
        "block me|my_number|my_phone_number|my_#",
        "put me|this_number|my_number on ?your|the do_not_call|do_not_text|do_not_contact|dnc list",
        # unsubscribe
        f"?how_do|how_can|can|could|may ?i|we|you|u {_UNSUBSCRIBE}|be_removed ?{_ME} {_FROM_ALL}",
        f"opt me|us out {_FROM_ALL}", "opt me|us out",
        f"{_WANT} to {_UNSUBSCRIBE} ?{_ME} {_FROM_ALL}",
        f"{_WANT} to be removed|taken|deleted|unsubscribed {_FROM_ALL}",
        "im|i_am opting_out|unsubscribing", f"im|i_am opting_out|unsubscribing {_FROM_ALL}",
        f"{_WANT} off ?of your|this|the {_LIST}",
        "how do|can|would i|we|you|u stop getting|receiving these|this",
        "i unsubscribe|opt_out|unsubscribed|opted_out",
        "how do|can|would i|we|you|u get off this|your|the list",
        "how do|can|would|to ?i|we|you|u stop|end|stop_getting|stop_receiving|get_rid_of|turn_off"
        f" {_ALL_THESE} {_TEXTS} ?{_FROM_YOU}",
        f"how do|can|would i|we|you|u make|get {_ALL_THESE} {_MANY} ?to stop",
        # leave me alone
        "leave me|us ?the_fuck|the_hell|the_f alone",
        "you|u|you_have|youve ?have|got ?the wrong number|person",
        "you_are|youre texting|messaging|contacting the wrong number|person",
    ),
    reservations=(
        "im|i_am ?still|just|currently driving|busy|sleeping|asleep|working|eating|studying|cooking|coming|here"
        "|outside|almost|running|parking",
        "im|i_am in|at a|an|the|my|class|church|bed|court|traffic|work|school|lunch|dinner|home",
        "im|i_am on my_way|the_phone|a_call|the_road|the_bus|a_date|a_plane|vacation",
        "ill|i_will|i_can|ima|im_gonna ?just call|text|message you|u END|back|later|soon|tomorrow|tonight|first|when"
        "|once|in|from",
        "ill|i_will|ima|im_gonna be there|back|right|home|over|late|by|in|free",
        "ill|i_will ?just come|see|stop_by|let_you_know",
        "mine|its|it_is|it_should_be DIGITS", "mine is", "the ?right|correct|new ?one|number is",
        "?my new|right|correct|real one|number is", "my number is", "and|or|then ?please add|use|put|replace|update",
        "add|use|try DIGITS", "use|add the|this|my",
        "can|could|would|please you|u|opt|sign|add|put ?please ?opt|sign|add|put ?me|us back",
        "but|and|how ?i|do|can ?i want|would_like|get ?to get|receive|subscribe|resubscribe|opt|back|your",
    ),
    resumptions=(
        "start|resume|restart texting|messaging me ?again",
        "start|resume|restart sending ?me ?the|your texts|messages|text_messages ?again",
        "resume ?the|your|all texts|messages|texting|text_messages",
        "you can|may text|message me again",
        "?i want|would_like|wish to get|receive ?the|your texts|messages|text_messages again",
        "?i opt ?me|us ?back in ?again",
        "?i want|would_like|wish to opt|subscribe ?back in|again",
        "subscribe|resubscribe me ?again",
        "sign me up again",
    ),
    openers=(
        *_COURTESIES, "pleas", "dear", "no|nope", "not interested", "im|i_am not interested",
        "so", "and", "but", "also", "again", "seriously", "for the love of god", "omg", "wtf", "ffs", "jesus", "look",
        "listen", "yo", "bro", "dude", "lol", "well", "then", "yeah", "good morning|afternoon|evening",
        "who is|are|dis|tf ?this|you", "i said", "i already said",
        "can|could|would|will|why_dont you|u|yall", "you|yall need|have|better ?to", "you must|should",
        "i|we want|need|would_like|wish|demand|ask|am_asking|request|am_requesting|insist|must_insist|require"
        " ?that you|u|yall|you_guys|you_people ?to",
        "id_like|id_like_for|im_asking|i_beg you|u|you_guys to",
        f"?i|we ive|weve|have|already|had ?already asked|told you ?guys ?{_REPEATEDLY} to",
        f"i|we ?already asked|told you ?guys ?{_REPEATEDLY} to",
        "how many times do i have|need to tell|ask you to", "for_the|this_is_the first|second|third|last|2nd|3rd time",
        "once again", "as i said", "youve|you_have been told|asked|warned to",
        "?this_is ?my|your|the final|last warning|notice ?to", "?effective immediately",
        "go ahead and",
        "?this_is|its ?the wrong number|person", "this_is harassment|spam", "im|i_am done",
        "i|idk dont_know|do_not_know|who ?who you|this ?are|is",
    ),
    closers=(
        *_COURTESIES, "thank_u", "right_now", "immediately", "at_once", "asap", "today", "already", "anymore",
        "any_more", "any_further", "further", "no_more", "every_day|everyday", "constantly", "by|via text|sms|texts",
        "from ?different|other|new numbers", "any_longer", "ever", "again", "forever", "permanently", "for_good",
        "altogether", "completely", "from_now_on", "going_forward", "all_the_time", "here|on_here",
        "to|on|at|from this|that|my number|phone|cell|cell_phone|phone_number|#", "guys", "dude", "bro", "man", "lol",
        "god", "ffs", "wtf", "damn ?it", "dammit", _INSULTS, "at all", "so much", "have a nice|good day", "god bless",
        _SIGNATURE, "for the last time", "i said", "i beg you", "im|i_am not interested", "not interested",
        "sincerely", "regards", "once and for all",
    ),
    joints=("and", "but", "so", "or", "then", "also", "however", "please", "pls", "plz", "plse"),
    breaks=(
        "and", "but", "or", "because", "cause", "cuz", "bc", "since", "i", "im", "ive", "ill", "id", "you", "youre",
        "u", "ur", "this is", "its", "it is", "we", "who", "they", "my name", "there is", "not", "no", "last", "per",
    ),
)  # fmt: skip
