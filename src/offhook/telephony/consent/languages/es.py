"""Spanish. CANCELAR is not among the keywords: no carrier takes it for one, and people say it of appointments."""

from __future__ import annotations

from typing import Final

from offhook.telephony.consent.language import Language

_TEXTS: Final = "mensajes|mensaje|mensajitos|textos|sms|msj|msjs|mensajes_de_texto|publicidad|propaganda|spam"
_MORE: Final = "?mas ?de ?sus|tus|estos|esos|los"

LANGUAGE: Final = Language(
    tag="es",
    stop=("alto", "parar", "pare", "paren", "baja", "detener", "detenga", "detengan"),
    start=("empezar", "comenzar", "reanudar"),
    help=("ayuda", "información"),
    alone=("alto", "parar|pare|paren ?ya", "baja", "basta ?ya", "detener|detenga|detengan"),
    manners=(
        "por favor",
        "porfavor",
        "porfa",
        "gracias",
        "muchas gracias",
        "ya",
        "ahora",
        "hola",
        "ok",
        "no",
        "no me interesa",
        "senor|senora|senorita",
    ),
    clauses=(),
    revocations=(
        f"deje|deja|dejen|dejad|pare|para|paren de mandarme|enviarme|mandar|enviar|mandarnos"
        f"|enviarnos {_MORE} {_TEXTS}",
        "deje|deja|dejen|dejad|pare|para|paren de escribirme|molestarme|textearme|mensajearme|contactarme|molestar",
        f"no ?me|nos mande|mandes|manden|envie|envies|envien {_MORE} {_TEXTS}",
        "no me mande|mandes|manden|envie|envies|envien mas|nada",
        "no me escriba|escribas|escriban|textee|textees|texteen|contacte|contactes|contacten|moleste|molestes|molesten",
        f"?yo ?ya no quiero|deseo ?recibir {_MORE} {_TEXTS}",
        "?yo ?ya no quiero|deseo que me escriban|escriba|escribas|manden|mande|mandes|envien|contacten ?mas ?mensajes",
        "no mas mensajes|textos|sms",
        "quiero|quisiera|deseo|necesito darme|darnos de baja",
        "deme|denme|dame|date|dar de baja",
        "quitame|quiteme|quitenme|sacame|saqueme|saquenme|borrame|borreme|borrenme|eliminame|elimineme|eliminenme"
        " de ?su|tu|la|esta|sus lista|listas|base_de_datos",
        "quite|quita|quiten|borre|borra|borren|elimine|elimina|eliminen mi numero ?de ?su|tu|la|esta ?lista",
        "me quiero dar de baja",
        "dejame|dejeme|dejenme en paz",
    ),
    resumptions=(
        "quiero|deseo ?volver_a recibir ?sus|los|tus mensajes ?de_nuevo|otra_vez",
        "vuelva|vuelvan|vuelve a mandarme|enviarme mensajes",
    ),
    openers=(
        "por favor",
        "porfavor",
        "porfa",
        "favor",
        "hola",
        "buenas",
        "buenos dias",
        "buenas tardes|noches",
        "ya",
        "oiga",
        "oye",
        "gracias",
        "no gracias",
        "no",
        "que",
        "y",
        "pero",
        "le|les|te pido|ruego|pedi|dije que",
        "puede|puedes|pueden|podria|podrian",
        "quiero que",
        "favor de",
        "no me interesa",
        "senor|senora|senorita",
    ),
    closers=(
        "por favor",
        "porfavor",
        "porfa",
        "gracias",
        "muchas gracias",
        "ya",
        "ahora",
        "ahora mismo",
        "inmediatamente",
        "mas",
        "nunca mas",
        "nunca",
        "jamas",
        "a este|mi numero|telefono|celular",
        "ok",
        "no me interesa",
        "para siempre",
    ),
    joints=("y", "pero", "o", "entonces"),
    breaks=("y", "pero", "o", "porque", "ya", "yo", "este", "esta", "no"),
)
