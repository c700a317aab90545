//! The words of the page in its languages. Each is plain text; names in braces stand for what is told then.

use billstack_core::portal::Locale;

/// The words of one language.
#[derive(Debug)]
pub(super) struct Words {
    pub title: &'static str,
    /// `{friend}` for the friend, and `{amount}` for the customer.
    pub offer_both: &'static str,
    pub offer_customer: &'static str,
    pub offer_friend: &'static str,
    pub offer_nothing: &'static str,
    pub closed: &'static str,
    pub your_link: &'static str,
    pub your_code: &'static str,
    pub qr: &'static str,
    pub copy: &'static str,
    pub copied: &'static str,
    /// Where nothing may be copied for them.
    pub copy_by_hand: &'static str,
    pub share: &'static str,
    pub by_whatsapp: &'static str,
    pub by_mail: &'static str,
    /// To a friend: `{link}`.
    pub message: &'static str,
    /// To a friend: `{amount}` and `{link}`.
    pub message_with_amount: &'static str,
    pub make_code: &'static str,
    pub name_of_code: &'static str,
    pub save: &'static str,
    pub name_refused: &'static str,
    pub friends: &'static str,
    pub waiting: &'static str,
    pub earned: &'static str,
    pub not_counted: &'static str,
    pub ended: &'static str,
    /// `{amount}`.
    pub awaited: &'static str,
    pub your_friends: &'static str,
    pub a_friend: &'static str,
    pub former: &'static str,
    pub for_subscription: &'static str,
    pub for_payment: &'static str,
    /// `{day}`.
    pub for_hold: &'static str,
    pub no_friends: &'static str,
    pub your_credits: &'static str,
    pub for_friend: &'static str,
    pub welcome: &'static str,
    pub other: &'static str,
    pub no_credits: &'static str,
    pub terms: &'static str,
    pub on_subscription: &'static str,
    pub on_payment: &'static str,
    /// `{days}`.
    pub held: &'static str,
    pub older: &'static str,
    pub sample: &'static str,
    pub over_title: &'static str,
    pub over: &'static str,
}

/// The words of a language; English where there are none.
pub(super) fn words(locale: Locale) -> &'static Words {
    match locale {
        Locale::German => &GERMAN,
        Locale::French => &FRENCH,
        Locale::Spanish => &SPANISH,
        Locale::Portuguese => &PORTUGUESE,
        Locale::English | Locale::Other(_) => &ENGLISH,
    }
}

static ENGLISH: Words = Words {
    title: "Recommend us",
    offer_both: "Your friend gets {friend}, and you get {amount}.",
    offer_customer: "You get {amount} for each friend.",
    offer_friend: "Your friend gets {friend}.",
    offer_nothing: "Recommend us to your friends.",
    closed: "The program is closed at the moment. What you have earned stays yours.",
    your_link: "Your link",
    your_code: "Your code",
    qr: "QR code of your link",
    copy: "Copy",
    copied: "Copied",
    copy_by_hand: "Your link is selected: copy it with Ctrl+C or ⌘C.",
    share: "Share",
    by_whatsapp: "WhatsApp",
    by_mail: "E-mail",
    message: "I recommend this: {link}",
    message_with_amount: "I recommend this, and you get {amount}: {link}",
    make_code: "Get my code",
    name_of_code: "Name of your code",
    save: "Save",
    name_refused: "This name cannot be used. Choose another one.",
    friends: "Friends",
    waiting: "Waiting",
    earned: "Earned",
    not_counted: "Not counted",
    ended: "Ended",
    awaited: "{amount} awaited",
    your_friends: "Your friends",
    a_friend: "A friend",
    former: "A former customer",
    for_subscription: "Waiting for the first subscription",
    for_payment: "Waiting for the first payment",
    for_hold: "Yours from {day} on",
    no_friends: "When a friend comes by your link or with your code, you see here what is still missing for your reward.",
    your_credits: "What you have earned",
    for_friend: "For a friend",
    welcome: "Welcome",
    other: "From us",
    no_credits: "Nothing yet.",
    terms: "Terms",
    on_subscription: "A friend counts who is new and subscribes.",
    on_payment: "A friend counts who is new and has paid for the first time.",
    held: "The reward is yours {days} days later.",
    older: "Older",
    sample: "Sample data",
    over_title: "This page has ended",
    over: "Open it again from where you came.",
};

static GERMAN: Words = Words {
    title: "Empfehlen Sie uns",
    offer_both: "Ihr Freund erhält {friend}, und Sie erhalten {amount}.",
    offer_customer: "Sie erhalten {amount} für jeden Freund.",
    offer_friend: "Ihr Freund erhält {friend}.",
    offer_nothing: "Empfehlen Sie uns Ihren Freunden.",
    closed: "Das Programm ruht zurzeit. Was Sie verdient haben, bleibt Ihnen.",
    your_link: "Ihr Link",
    your_code: "Ihr Code",
    qr: "QR-Code Ihres Links",
    copy: "Kopieren",
    copied: "Kopiert",
    copy_by_hand: "Ihr Link ist markiert: Kopieren Sie ihn mit Strg+C oder ⌘C.",
    share: "Teilen",
    by_whatsapp: "WhatsApp",
    by_mail: "E-Mail",
    message: "Ich empfehle das hier: {link}",
    message_with_amount: "Ich empfehle das hier, und du bekommst {amount}: {link}",
    make_code: "Meinen Code holen",
    name_of_code: "Name Ihres Codes",
    save: "Speichern",
    name_refused: "Dieser Name geht nicht. Wählen Sie einen anderen.",
    friends: "Freunde",
    waiting: "Ausstehend",
    earned: "Verdient",
    not_counted: "Nicht gezählt",
    ended: "Beendet",
    awaited: "{amount} ausstehend",
    your_friends: "Ihre Freunde",
    a_friend: "Ein Freund",
    former: "Ein früherer Kunde",
    for_subscription: "Wartet auf das erste Abonnement",
    for_payment: "Wartet auf die erste Zahlung",
    for_hold: "Ihnen ab {day}",
    no_friends: "Kommt ein Freund über Ihren Link oder mit Ihrem Code, sehen Sie hier, was zu Ihrer Prämie noch fehlt.",
    your_credits: "Was Sie verdient haben",
    for_friend: "Für einen Freund",
    welcome: "Willkommen",
    other: "Von uns",
    no_credits: "Noch nichts.",
    terms: "Bedingungen",
    on_subscription: "Es zählt, wer neu ist und ein Abonnement abschließt.",
    on_payment: "Es zählt, wer neu ist und zum ersten Mal bezahlt hat.",
    held: "Die Prämie gehört Ihnen {days} Tage danach.",
    older: "Ältere",
    sample: "Beispieldaten",
    over_title: "Diese Seite ist abgelaufen",
    over: "Öffnen Sie sie noch einmal von dort, woher Sie kamen.",
};

static FRENCH: Words = Words {
    title: "Recommandez-nous",
    offer_both: "Votre ami reçoit {friend}, et vous recevez {amount}.",
    offer_customer: "Vous recevez {amount} par ami.",
    offer_friend: "Votre ami reçoit {friend}.",
    offer_nothing: "Recommandez-nous à vos amis.",
    closed: "Le programme est fermé pour le moment. Ce que vous avez gagné vous reste acquis.",
    your_link: "Votre lien",
    your_code: "Votre code",
    qr: "Code QR de votre lien",
    copy: "Copier",
    copied: "Copié",
    copy_by_hand: "Votre lien est sélectionné : copiez-le avec Ctrl+C ou ⌘C.",
    share: "Partager",
    by_whatsapp: "WhatsApp",
    by_mail: "E-mail",
    message: "Je te recommande ceci : {link}",
    message_with_amount: "Je te recommande ceci, et tu reçois {amount} : {link}",
    make_code: "Obtenir mon code",
    name_of_code: "Nom de votre code",
    save: "Enregistrer",
    name_refused: "Ce nom n’est pas possible. Choisissez-en un autre.",
    friends: "Amis",
    waiting: "En attente",
    earned: "Gagné",
    not_counted: "Non compté",
    ended: "Terminé",
    awaited: "{amount} en attente",
    your_friends: "Vos amis",
    a_friend: "Un ami",
    former: "Un ancien client",
    for_subscription: "En attente du premier abonnement",
    for_payment: "En attente du premier paiement",
    for_hold: "À vous à partir du {day}",
    no_friends: "Quand un ami vient par votre lien ou avec votre code, vous voyez ici ce qui manque encore à votre récompense.",
    your_credits: "Ce que vous avez gagné",
    for_friend: "Pour un ami",
    welcome: "Bienvenue",
    other: "De notre part",
    no_credits: "Rien pour l’instant.",
    terms: "Conditions",
    on_subscription: "Compte un ami qui est nouveau et qui s’abonne.",
    on_payment: "Compte un ami qui est nouveau et qui a payé une première fois.",
    held: "La récompense est à vous {days} jours plus tard.",
    older: "Plus anciens",
    sample: "Données d’exemple",
    over_title: "Cette page a expiré",
    over: "Ouvrez-la de nouveau depuis l’endroit d’où vous venez.",
};

static SPANISH: Words = Words {
    title: "Recomiéndanos",
    offer_both: "Tu amigo recibe {friend} y tú recibes {amount}.",
    offer_customer: "Recibes {amount} por cada amigo.",
    offer_friend: "Tu amigo recibe {friend}.",
    offer_nothing: "Recomiéndanos a tus amigos.",
    closed: "El programa está cerrado por ahora. Lo que has ganado sigue siendo tuyo.",
    your_link: "Tu enlace",
    your_code: "Tu código",
    qr: "Código QR de tu enlace",
    copy: "Copiar",
    copied: "Copiado",
    copy_by_hand: "Tu enlace está seleccionado: cópialo con Ctrl+C o ⌘C.",
    share: "Compartir",
    by_whatsapp: "WhatsApp",
    by_mail: "Correo",
    message: "Te recomiendo esto: {link}",
    message_with_amount: "Te recomiendo esto, y recibes {amount}: {link}",
    make_code: "Obtener mi código",
    name_of_code: "Nombre de tu código",
    save: "Guardar",
    name_refused: "Este nombre no se puede usar. Elige otro.",
    friends: "Amigos",
    waiting: "En espera",
    earned: "Ganado",
    not_counted: "No contado",
    ended: "Terminado",
    awaited: "{amount} en espera",
    your_friends: "Tus amigos",
    a_friend: "Un amigo",
    former: "Un antiguo cliente",
    for_subscription: "A la espera de la primera suscripción",
    for_payment: "A la espera del primer pago",
    for_hold: "Tuyo a partir del {day}",
    no_friends: "Cuando un amigo llega por tu enlace o con tu código, aquí ves qué falta todavía para tu recompensa.",
    your_credits: "Lo que has ganado",
    for_friend: "Por un amigo",
    welcome: "Bienvenida",
    other: "De nuestra parte",
    no_credits: "Nada todavía.",
    terms: "Condiciones",
    on_subscription: "Cuenta un amigo que es nuevo y se suscribe.",
    on_payment: "Cuenta un amigo que es nuevo y ha pagado por primera vez.",
    held: "La recompensa es tuya {days} días después.",
    older: "Anteriores",
    sample: "Datos de ejemplo",
    over_title: "Esta página ha caducado",
    over: "Ábrela de nuevo desde donde venías.",
};

static PORTUGUESE: Words = Words {
    title: "Recomende-nos",
    offer_both: "O seu amigo recebe {friend} e você recebe {amount}.",
    offer_customer: "Você recebe {amount} por cada amigo.",
    offer_friend: "O seu amigo recebe {friend}.",
    offer_nothing: "Recomende-nos aos seus amigos.",
    closed: "O programa está fechado no momento. O que você ganhou continua seu.",
    your_link: "O seu link",
    your_code: "O seu código",
    qr: "Código QR do seu link",
    copy: "Copiar",
    copied: "Copiado",
    copy_by_hand: "O seu link está selecionado: copie-o com Ctrl+C ou ⌘C.",
    share: "Partilhar",
    by_whatsapp: "WhatsApp",
    by_mail: "E-mail",
    message: "Recomendo isto: {link}",
    message_with_amount: "Recomendo isto, e você recebe {amount}: {link}",
    make_code: "Obter o meu código",
    name_of_code: "Nome do seu código",
    save: "Guardar",
    name_refused: "Este nome não pode ser usado. Escolha outro.",
    friends: "Amigos",
    waiting: "Em espera",
    earned: "Ganho",
    not_counted: "Não contado",
    ended: "Terminado",
    awaited: "{amount} em espera",
    your_friends: "Os seus amigos",
    a_friend: "Um amigo",
    former: "Um antigo cliente",
    for_subscription: "À espera da primeira assinatura",
    for_payment: "À espera do primeiro pagamento",
    for_hold: "Seu a partir de {day}",
    no_friends: "Quando um amigo vem pelo seu link ou com o seu código, você vê aqui o que ainda falta para a sua recompensa.",
    your_credits: "O que você ganhou",
    for_friend: "Por um amigo",
    welcome: "Boas-vindas",
    other: "Da nossa parte",
    no_credits: "Nada ainda.",
    terms: "Condições",
    on_subscription: "Conta um amigo que é novo e assina.",
    on_payment: "Conta um amigo que é novo e pagou pela primeira vez.",
    held: "A recompensa é sua {days} dias depois.",
    older: "Anteriores",
    sample: "Dados de exemplo",
    over_title: "Esta página expirou",
    over: "Abra-a de novo de onde você veio.",
};

/// A text with what its names in braces stand for. A name that is not among them stays as it is.
pub(super) fn filled(text: &str, values: &[(&str, &str)]) -> String {
    let mut rest = text;
    let mut filled = String::new();
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let known = values.iter().find_map(|(name, value)| {
            let after = from[1..].strip_prefix(name)?.strip_prefix('}')?;
            Some((*value, after))
        });
        match known {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = &from[1..];
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_filled_in_is_not_read_again() {
        let values = [("amount", "{link}"), ("link", "L")];
        assert_eq!(filled("{amount} {link} {x} {", &values), "{link} L {x} {");
        assert_eq!(filled("ü{amount}", &values), "ü{link}");
    }

    #[test]
    fn no_language_forgets_what_its_sentences_are_for() {
        for locale in Locale::ALL {
            let words = words(*locale);
            for (text, names) in [
                (words.offer_both, &["{friend}", "{amount}"][..]),
                (words.offer_customer, &["{amount}"]),
                (words.offer_friend, &["{friend}"]),
                (words.message, &["{link}"]),
                (words.message_with_amount, &["{amount}", "{link}"]),
                (words.awaited, &["{amount}"]),
                (words.for_hold, &["{day}"]),
                (words.held, &["{days}"]),
            ] {
                assert!(
                    names.iter().all(|name| text.contains(name)),
                    "{locale}: {text}"
                );
            }
        }
    }
}
