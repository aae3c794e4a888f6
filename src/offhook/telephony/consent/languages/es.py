"""Spanish. CANCELAR is not among the keywords: no carrier takes it for one, and people say it of appointments."""

from __future__ import annotations

from typing import Final

from offhook.telephony.consent.language import Language

_TEXTS: Final = "mensajes|mensaje|mensajitos|textos|sms|msj|msjs|mensajes_de_texto|publicidad|propaganda|spam"
_MORE: Final = "?mas ?de ?sus|tus|estos|esos|los"
_FROM_YOU: Final = "de_ustedes|de_usted|de_ti|suyos|tuyos"
_LIST: Final = "lista|listas|base_de_datos|sistema|lista_de_contactos|contactos"
_OFF_THE_LIST: Final = f"de ?su|tu|la|esta|sus|las {_LIST}"
_MY_NUMBER: Final = "mi|este numero|telefono|celular|#"
_WRITE: Final = (
    "escriba|escribas|escriban|textee|textees|texteen|contacte|contactes|contacten|moleste|molestes|molesten"
)
_ERASE: Final = (
    "quite|quita|quiten|borre|borra|borren|borrar|elimine|elimina|eliminen|eliminar|saque|saquen|remueva|remuevan"
)
_STOP: Final = "deje|deja|dejen|dejad|pare|para|paren"

_COURTESIES: Final = (
    "por favor", "porfavor", "porfa", "?muchas gracias", "ya", "ahora", "hola", "ok", "senor|senora|senorita",
)  # fmt: skip

LANGUAGE: Final = Language(
    tag="es",
    stop=("alto", "parar", "pare", "paren", "baja", "detener", "detenga", "detengan"),
    start=("empezar", "comenzar", "reanudar"),
    help=("ayuda", "información"),
    alone=("alto", "parar|pare|paren ?ya", "baja", "basta ?ya", "detener|detenga|detengan"),
    manners=(*_COURTESIES, "no", "no me interesa", "numero|persona equivocado|equivocada"),
    bare=("alto", "pare|paren ?ya"),
    courtesies=_COURTESIES,
    jests=("jaja|jajaja|jeje|jejeje|es_broma",),
    conditions=("si|cuando|hasta|antes|despues|mientras",),
    clauses=(
        "?quiero|quisiera cancelar|cancele|cancelen|detener|detenga|detengan|parar|pare|paren|suspender|suspenda"
        f"|suspendan|alto|basta ?a|de ?todos ?los|sus|tus|estos|esos {_TEXTS} ?{_FROM_YOU}",
        "?nunca|jamas ?mas ?me|nos escriban|escriba|escribas nunca|jamas ?mas",
        "stop mensajes|textos|sms", "no molestar",
        "darme|darnos de baja", "como me|nos doy|damos|puedo_dar de baja", "como puedo darme de baja",
    ),
    revocations=(
        f"{_STOP} de mandarme|enviarme|mandar|enviar|mandarnos|enviarnos {_MORE} {_TEXTS}",
        f"{_STOP} de escribirme|molestarme|textearme|mensajearme|contactarme|molestar",
        f"no|nunca ?mas ?me|nos mande|mandes|manden|envie|envies|envien {_MORE} {_TEXTS}",
        "no me mande|mandes|manden|envie|envies|envien mas|nada",
        f"no|nunca|jamas ?mas me|nos {_WRITE}",
        f"no me llame|llames|llamen ni|o ?me {_WRITE}",
        "no me vuelva|vuelvas|vuelvan a escribir|contactar|molestar|textear",
        f"?yo ?ya no quiero|deseo|queremos|deseamos ?recibir {_MORE} {_TEXTS} ?{_FROM_YOU}",
        "?yo ?ya no quiero|deseo que me escriban|escriba|escribas|manden|mande|mandes|envien|contacten ?mas ?mensajes",
        "no mas mensajes|textos|sms",
        "quiero|quisiera|deseo|necesito darme|darnos de baja",
        "deme|denme|dame|date|dar de baja",
        "quitame|quiteme|quitenme|sacame|saqueme|saquenme|borrame|borreme|borrenme|eliminame|elimineme|eliminenme|remuevame|remuevanme"
        f" {_OFF_THE_LIST}",
        f"{_ERASE} {_MY_NUMBER}", f"{_ERASE} {_MY_NUMBER} {_OFF_THE_LIST}",
        "me quiero dar de baja",
        "dejame|dejeme|dejenme|dejanos|dejenos|dejennos en paz",
        "tiene|tienes|tienen ?ustedes el|la numero|persona equivocado|equivocada",
    ),
    reservations=(
        "estoy|voy|ando manejando|conduciendo|ocupado|ocupada|trabajando|durmiendo|en",
        "yo|le|te|les ?le|te|les llamo|aviso|escribo|llamare|escribire|avisare", "el correcto|bueno|nuevo es",
        "y|o ponga|pon|agregue|agrega|use|usa", "mi numero es", "es el|la DIGITS", "es DIGITS",
    ),
    resumptions=(
        "quiero|deseo ?volver_a recibir ?sus|los|tus mensajes ?de_nuevo|otra_vez",
        "vuelva|vuelvan|vuelve a mandarme|enviarme mensajes",
    ),
    openers=(
        *_COURTESIES, "favor", "buenas", "buenos dias", "buenas tardes|noches", "oiga", "oye", "no gracias", "no",
        "que", "y", "pero", "le|les|te pido|ruego|pedi|dije que", "puede|puedes|pueden|podria|podrian", "quiero que",
        "favor de", "no me interesa", "numero|persona equivocado|equivocada",
    ),
    closers=(
        *_COURTESIES, "ahora mismo", "inmediatamente", "mas", "nunca mas", "nunca", "jamas", "mensajes|textos",
        "a este|mi numero|telefono|celular", "no me interesa", "para siempre",
    ),
    joints=("y", "pero", "o", "entonces"),
    breaks=("y", "pero", "o", "porque", "ya", "yo", "este", "esta", "no"),
)  # fmt: skip
