//! The words: what callers of an extortion line tell and what the line asks.
//!
//! Texts with gaps in braces, filled by [`Slots`](super::Slots). Invented throughout.

/// One modality of extortion.
#[derive(Debug)]
pub(crate) struct Story {
    pub(crate) code: &'static str,
    pub(crate) name: &'static str,
    pub(crate) manner: &'static str,
    pub(crate) opening: &'static str,
    /// What the caller goes on to tell.
    pub(crate) told: &'static [&'static str],
    pub(crate) title: &'static str,
    pub(crate) summary: &'static str,
}

pub(crate) const PLACES: &[&str] = &[
    "Ecatepec, Estado de México",
    "la colonia Doctores, Ciudad de México",
    "Tlaquepaque, Jalisco",
    "San Nicolás de los Garza, Nuevo León",
    "Uruapan, Michoacán",
    "Xalapa, Veracruz",
    "el centro de León, Guanajuato",
    "Acapulco de Juárez, Guerrero",
    "Cancún, Quintana Roo",
    "Tuxtla Gutiérrez, Chiapas",
    "Mérida, Yucatán",
    "Ciudad Juárez, Chihuahua",
    "la alcaldía Iztapalapa",
    "Peñón de los Baños",
];

pub(crate) const SHOPS: &[&str] = &[
    "tortillería",
    "ferretería",
    "taquería",
    "farmacia",
    "estética",
    "papelería",
    "refaccionaria",
    "fonda",
    "tienda de abarrotes",
    "panadería \"La Espiga de Oro\"",
];

pub(crate) const APPS: &[&str] =
    &["Crédito Feliz", "Peso Rápido", "Súper Lana", "EfectiYa", "Préstamo Ñandú", "CashMex+"];

pub(crate) const TIMES: &[&str] = &[
    "desde hace tres días",
    "hoy en la mañana",
    "ayer como a las ocho de la noche",
    "desde hace dos semanas",
    "hace una hora",
    "el viernes pasado",
    "desde el mes de septiembre",
];

pub(crate) const ACCOUNTS: &[&str] = &[
    "un depósito en una tienda de conveniencia",
    "una transferencia a una cuenta de un banco en línea",
    "tarjetas de regalo",
    "efectivo que va a recoger un muchacho en moto",
];

pub(crate) const GREETING: &str = "Línea 089, denuncia anónima. Esta llamada es confidencial y no tiene que darme \
    su nombre. Platíqueme, ¿qué fue lo que pasó?";

pub(crate) const FAREWELL: &str = "Ya quedó registrado su reporte. Por favor no haga ningún pago, no conteste \
    números desconocidos y, si hay peligro inmediato, marque al 911. Gracias por llamar al 089.";

pub(crate) const STORIES: &[Story] = &[
    Story {
        code: "EXT-01",
        name: "Cobro de piso",
        manner: "Llamada telefónica y visita al negocio",
        opening: "Buenas tardes, señorita. Mire, tengo una {negocio} en {lugar} y me están hablando {tiempo} para \
            pedirme \"la cuota\".",
        told: &[
            "Dicen que son de un grupo y que me toca pagar {monto} pesos cada semana, o le prenden fuego al local.",
            "Ya vinieron dos muchachos en una moto, me tomaron fotos y me dejaron una cartulina en la cortina.",
            "Me dijeron: «o cooperas, o cierras». La verdad tengo mucho miedo por mis empleados.",
            "Quieren {cuenta}. No he pagado nada todavía.",
            "El de la {negocio} de enfrente ya pagó y le subieron la cuota al mes, ¿usted cree?",
            "Me mandaron un audio con el nombre del negocio y el horario en que abro.\nNo sé cómo lo saben.",
        ],
        title: "Cobro de piso a una {negocio}",
        summary: "La persona que llama tiene una {negocio} en {lugar} y reporta que {tiempo} le exigen {monto} pesos \
            de cuota bajo amenaza de quemar el local. No ha pagado. Se le orienta para no realizar depósitos.",
    },
    Story {
        code: "EXT-02",
        name: "Secuestro virtual",
        manner: "Llamada telefónica",
        opening: "¡Ayúdeme, por favor! Me hablaron y se oía una muchacha llorando, me dijeron que tienen a mi hija.",
        told: &[
            "Pedían {monto} pesos y que no colgara, que si colgaba la iban a lastimar.",
            "Me hicieron salir de mi casa en {lugar} e irme a un hotel, y apagar el otro teléfono.",
            "Después mi hija contestó, estaba en la escuela. Estaba bien, gracias a Dios. 🙏",
            "El hombre hablaba muy golpeado y decía que era comandante.",
            "Querían {cuenta}, y que fuera rápido.",
            "Me llamaron como {llamadas} veces, siempre con otro número.",
        ],
        title: "Secuestro virtual de una hija",
        summary: "Reporta un secuestro virtual: {tiempo} le llamaron con una voz que lloraba y exigieron {monto} pesos \
            por su hija, quien fue localizada sana y salva. Ocurrió en {lugar}.",
    },
    Story {
        code: "EXT-03",
        name: "Préstamos exprés (montadeudas)",
        manner: "Aplicación de préstamos y mensajes",
        opening: "Hola, oiga, bajé una aplicación que se llama {app}, pedí un préstamo y ahora me están amenazando.",
        told: &[
            "Me prestaron mil quinientos y ya me cobran {monto} pesos, y sube cada día.",
            "Le mandaron mensajes a todos mis contactos con mi foto, diciendo que soy un ratero.",
            "Me llegan como {llamadas} mensajes diarios: \"paga o publicamos tus fotos 😡\".",
            "Sí les di permiso a la galería y a los contactos, no sabía…",
            "Ya pagué dos veces, con {cuenta}, y dicen que no se reflejó.",
            "Vivo en {lugar} y dicen que ya vienen a mi casa.",
        ],
        title: "Amenazas de la aplicación {app}",
        summary: "La persona usuaria descargó la aplicación {app} y recibe amenazas {tiempo}; le exigen {monto} pesos y \
            enviaron mensajes a sus contactos. Reside en {lugar}.",
    },
    Story {
        code: "EXT-04",
        name: "Familiar detenido",
        manner: "Llamada telefónica de un supuesto ministerio público",
        opening: "Buenas noches. Me llamó un supuesto licenciado, que mi sobrino venía de Estados Unidos y lo \
            detuvieron en la aduana.",
        told: &[
            "Que traía dólares sin declarar y que había que pagar {monto} pesos de multa.",
            "Yo le dije \"¿eres tú, Beto?\" y ahí fue donde me sacaron el nombre, qué tonto.",
            "Querían {cuenta}, y que no le dijera a nadie de la familia.",
            "Nos hablaron {llamadas} veces. Estamos en {lugar}.",
            "Mi señora ya iba en camino al banco cuando nos contestó el sobrino.",
        ],
        title: "Engaño del familiar detenido",
        summary: "Un supuesto licenciado le exigió {monto} pesos para liberar a un sobrino detenido en la aduana. El hecho \
            ocurrió {tiempo} en {lugar}. El sobrino fue localizado.",
    },
    Story {
        code: "EXT-05",
        name: "Amenaza de supuesto grupo delictivo",
        manner: "Mensajes de WhatsApp",
        opening: "Sí, bueno, me están llegando mensajes de alguien que dice que sabe dónde vivo, {tiempo}.",
        told: &[
            "Me mandan fotos de gente armada y mi dirección en {lugar}, con todo y calle.",
            "Dicen que alguien les pagó para hacerme daño y que con {monto} pesos \"se arregla\".",
            "Ya bloqueé el número, pero llegan de otros; van {llamadas}.",
            "Me pidieron {cuenta}.\n\n¿Qué hago? ¿Cambio de chip?",
            "Mi esposa está embarazada y está muy asustada, señorita.",
        ],
        title: "Amenazas por mensajes con fotografías",
        summary: "Recibe amenazas por mensajería {tiempo}, con fotografías y su domicilio en {lugar}; le exigen {monto} \
            pesos. Se le orienta para conservar la evidencia.",
    },
];

/// What the line asks and what callers answer.
pub(crate) const QUESTIONS: &[(&str, &str)] = &[
    (
        "Entiendo, aquí le ayudo. ¿Desde cuándo lo están llamando?",
        "Pues {tiempo}. Han sido como {llamadas} llamadas.",
    ),
    ("¿En qué lugar ocurrió?", "En {lugar}."),
    ("¿Le pidieron alguna cantidad?", "Sí, {monto} pesos. Es mucho dinero, la verdad."),
    ("¿Cómo le pidieron que hiciera el pago?", "Querían {cuenta}."),
    ("¿Hubo alguna amenaza directa en contra de usted o de su familia?", "Sí, que me iban a venir a buscar."),
    ("¿Recuerda si el que habla tiene algún acento?", "Como del norte… o de la costa, no sabría decirle."),
    ("¿Ha realizado algún depósito?", "No, no, ninguno. Por eso les llamo antes."),
    ("¿Conserva los mensajes o los audios?", "Sí, los tengo guardados. ¿Se los mando por dónde?"),
    ("¿Hay alguna otra persona a la que también le hayan llamado?", "A mi vecina, la de la {negocio}."),
    (
        "Tranquilo, respire. ¿Está usted en un lugar seguro en este momento?",
        "Sí, estoy en mi casa, ya cerré todo.",
    ),
];

/// What an agent in a long call says between questions.
pub(crate) const ASIDES: &[&str] = &[
    "Lo escucho, continúe por favor.",
    "Comprendo su preocupación. Lo que me cuenta es un patrón muy conocido y la mayoría de estas llamadas se hace \
     desde centros penitenciarios; lo más importante es que no realice ningún pago y que conserve los mensajes.",
    "Permítame un momento, estoy anotando lo que me dice.",
    "Le repito lo que llevo: ocurrió en {lugar}, {tiempo}, y la cantidad es de {monto} pesos.",
];
