//! `billstack init`.

mod stripe;

use billstack_core::access::{Scopes, api_key_hash, api_key_prefix, format_api_key};
use billstack_core::email;
use billstack_core::ids::{ProjectId, TeamId};
use billstack_store::Act;
use billstack_store::Refusal;
use billstack_store::api_keys::NewApiKey;
use billstack_store::store::Store;
use billstack_store::stripe_connection::NewConnection;
use billstack_store::users::NewUser;
use billstack_store::{Abort, Tx};
use billstack_store::{api_keys, projects, stripe_connection, teams, users};
use serde::Serialize;

use super::output::{Failure, say};
use super::serve::local_url;
use super::{database, password, terminal};
use crate::secrets::{Cipher, random_bytes};
use crate::server::{kept_key, key_for};
use crate::settings::{SecretText, Settings};
use crate::stripe::{Mode, SecretField, seal, secret_key, webhook_secret};

pub(super) const EXAMPLES: &str = "\
Needs no running server, and works beside one. Everything is created, or nothing is. It refuses, with
exit code 1, where a user exists already. At a terminal it asks for what was not given.

Examples:
  billstack init
  printf %s \"$PASSWORD\" | billstack init --email ada@example.com --password-stdin \\
      --team Acme --project Rockets
  printf %s \"$PASSWORD\" | BILLSTACK_WEBHOOK_SECRET=whsec_… billstack init \\
      --email ada@example.com --password-stdin --team Acme --project Rockets --json | jq -r .apiKey";

const STRIPE_PROMPT: &str =
    "Secret key of Stripe, or signing secret of your webhook endpoint (empty: later)";

/// The longest display name, in characters.
const LONGEST_NAME: usize = 255;

#[derive(clap::Args)]
pub(super) struct InitArgs {
    /// E-mail address of the first user, who owns the team
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Read the password of the first user from standard input: 8 to 256 characters
    #[arg(long)]
    password_stdin: bool,
    /// Display name of the first user [default: what stands before the @]
    #[arg(long)]
    name: Option<String>,
    /// Display name of the team
    #[arg(long, value_name = "NAME")]
    team: Option<String>,
    /// Display name of the team's first project
    #[arg(long, value_name = "NAME")]
    project: Option<String>,
    /// Signing secret of the Stripe webhook endpoint, when there is one already
    #[arg(
        long,
        value_name = "whsec_…",
        env = "BILLSTACK_WEBHOOK_SECRET",
        hide_env_values = true
    )]
    webhook_secret: Option<String>,
    /// Secret or restricted key of Stripe, to make the webhook endpoint with
    #[arg(
        long,
        value_name = "rk_…",
        env = "BILLSTACK_STRIPE_KEY",
        hide_env_values = true,
        conflicts_with = "webhook_secret"
    )]
    stripe_key: Option<String>,
    /// Print one JSON object for a program to read
    #[arg(long)]
    json: bool,
}

/// What is to be there from the start.
#[derive(Clone)]
pub(super) struct Foundation {
    pub(super) user: NewUser,
    pub(super) team: String,
    pub(super) project: String,
    pub(super) webhook_secret: Option<SecretText>,
    /// A secret key of Stripe that is known to work, beside the webhook secret.
    pub(super) secret_key: Option<SecretText>,
}

/// What is there now. It holds the one copy of the API key.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Founded {
    pub(super) team_id: TeamId,
    pub(super) project_id: ProjectId,
    pub(super) api_key: String,
    pub(super) user_id: String,
    pub(super) webhook_url: String,
    pub(super) webhook_secret: Option<String>,
    /// What became of the secret key of Stripe, where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stripe: Option<stripe::Connected>,
}

/// A secret key of Stripe, and its mode.
type Key = (SecretText, Mode);

/// Founds a server and prints its ids and key.
pub(super) fn run(settings: &Settings, args: &InitArgs) -> Result<(), Failure> {
    let (mut foundation, stripe_key) = read(args)?;
    let target = database::target(settings)?;
    foundation.user.password_hash = match args.password_stdin {
        true => password::read_hashed()?,
        false => password::ask_hashed()?,
    };
    let tried = stripe_key.map(|key| stripe::tried(settings, key));
    let tried = tried.transpose()?;
    let kept = kept_key(settings, &target)?;
    database::migrate(&target)?;
    let store = database::open(&target)?;
    let key = key_for(kept, &target, &store)?;
    let base = match &settings.base_url {
        Some(base) => base.clone(),
        None => listening_url(&settings.listen),
    };
    let cipher = Cipher::new(key);
    let mut founded = found(&store, cipher.clone(), foundation, &base)?;
    if let Some(tried) = &tried {
        let Founded {
            team_id,
            webhook_url,
            ..
        } = &founded;
        let connected = stripe::connect(&store, &cipher, team_id, webhook_url, tried)?;
        founded.stripe = Some(connected);
    }
    // Closed before anything is printed: a caller that reads the answer may start a server at once.
    drop(store);
    if args.json {
        let text = serde_json::to_string(&founded).map_err(Failure::refused)?;
        return say(text);
    }
    say(for_people(&founded))
}

/// Reads what was given, and asks for the rest where somebody is there: what is to be founded, and the secret key of
/// Stripe.
fn read(args: &InitArgs) -> Result<(Foundation, Option<Key>), Failure> {
    let asks = terminal::is_there() && !args.password_stdin;
    let given = [
        ("--email", args.email.is_some()),
        ("--password-stdin", args.password_stdin),
        ("--team", args.team.is_some()),
        ("--project", args.project.is_some()),
    ];
    let missing = given.iter().filter(|(_, is_given)| !is_given);
    let missing: Vec<_> = missing.map(|(flag, _)| *flag).collect();
    if !asks && !missing.is_empty() {
        return Err(Failure::usage(format_args!(
            "{} must be given: there is nobody at a terminal to be asked",
            missing.join(", ")
        )));
    }
    let part = |flag: &'static str, given: &Option<String>, prompt: &str| match given {
        Some(text) => display_name(flag, text),
        None => terminal::ask(prompt, |text| display_name("it", text)),
    };
    let email = match &args.email {
        Some(text) => address("--email", text)?,
        None => terminal::ask("Your e-mail address", |text| address("it", text))?,
    };
    let team = part("--team", &args.team, "Name of your team")?;
    let project = part("--project", &args.project, "Name of its first project")?;
    let (webhook_secret, stripe_key) = match (&args.webhook_secret, &args.stripe_key) {
        (None, None) if asks => terminal::ask(STRIPE_PROMPT, secret_or_key)?,
        (secret, key) => (
            secret_of("--webhook-secret", secret.as_deref())?,
            key_of("--stripe-key", key.as_deref())?,
        ),
    };
    let before_at = email.split('@').next().unwrap_or_default();
    let user = NewUser {
        name: display_name("--name", args.name.as_deref().unwrap_or(before_at))?,
        email,
        password_hash: String::new(),
    };
    let foundation = Foundation {
        user,
        team,
        project,
        webhook_secret,
        secret_key: None,
    };
    Ok((foundation, stripe_key))
}

fn address(flag: &str, text: &str) -> Result<String, Failure> {
    let wanted = || Failure::usage(format_args!("{flag} must be an e-mail address"));
    email::normalize(text).ok_or_else(wanted)
}

/// Either of the two, as it begins.
fn secret_or_key(text: &str) -> Result<(Option<SecretText>, Option<Key>), Failure> {
    match text.trim_start().starts_with("whsec_") {
        true => Ok((secret_of("it", Some(text))?, None)),
        false => Ok((None, key_of("it", Some(text))?)),
    }
}

fn key_of(flag: &str, text: Option<&str>) -> Result<Option<Key>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wanted = "must be a whole key, which begins with sk_ or rk_, or a signing secret, whsec_";
    let wanted = || Failure::usage(format_args!("{flag} {wanted}"));
    secret_key(text).map(Some).ok_or_else(wanted)
}

fn secret_of(flag: &str, text: Option<&str>) -> Result<Option<SecretText>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let wanted = "must be the whole signing secret, whsec_ included";
    let wanted = || Failure::usage(format_args!("{flag} {wanted}"));
    webhook_secret(text).map(Some).ok_or_else(wanted)
}

pub(super) fn display_name(flag: &str, text: &str) -> Result<String, Failure> {
    let name = text.trim();
    let length = name.chars().take(LONGEST_NAME + 1).count();
    if !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
        return Err(Failure::usage(format_args!(
            "{flag} must be one line of 1 to {LONGEST_NAME} characters"
        )));
    }
    Ok(name.to_owned())
}

/// Creates the user, the team, the project, the key and the connection, all or nothing.
pub(super) fn found(
    store: &Store,
    cipher: Cipher,
    foundation: Foundation,
    base_url: &str,
) -> Result<Founded, Failure> {
    let api_key = format_api_key(random_bytes());
    let key = api_key.clone();
    let webhook_secret = foundation.webhook_secret.as_ref();
    let webhook_secret = webhook_secret.map(|secret| secret.expose().to_owned());
    let created = database::write(store, "init", move |tx, act| {
        create(tx, act, &foundation, &cipher, &key)
    });
    let (user_id, team_id, project_id) = created.map_err(|abort| match abort {
        Abort::Refused(Refusal::AlreadySetUp) => Failure::refused(
            "a user exists already; sign in, or set a password with `billstack users set-password`",
        ),
        other => other.into(),
    })?;
    Ok(Founded {
        webhook_url: format!("{base_url}/api/webhooks/stripe/{team_id}"),
        user_id,
        team_id,
        project_id,
        api_key,
        webhook_secret,
        stripe: None,
    })
}

/// The ids of the user, the team and the project.
type Ids = (String, TeamId, ProjectId);

fn create(
    tx: &mut dyn Tx,
    act: &mut Act,
    foundation: &Foundation,
    cipher: &Cipher,
    api_key: &str,
) -> Result<Ids, Abort> {
    let user = users::create_first(tx, act, &foundation.user)?;
    let team = teams::create(tx, act, &foundation.team, &user.id)?;
    let project = projects::create(tx, act, &team.id, &foundation.project)?;
    let key = NewApiKey {
        key_hash: api_key_hash(api_key),
        name: "init".to_owned(),
        prefix: api_key_prefix(api_key).to_owned(),
        project_id: None,
        scopes: Scopes::all(),
        expires_at: None,
    };
    api_keys::create(tx, act, &team.id, &key)?;
    if let Some(secret) = &foundation.webhook_secret {
        let key = foundation.secret_key.as_ref();
        let connection = NewConnection {
            secret_key: key.map(|key| seal(cipher, &team.id, SecretField::SecretKey, key)),
            publishable_key: None,
            webhook_secret: Some(seal(cipher, &team.id, SecretField::WebhookSecret, secret)),
            livemode: None,
            account_id: None,
            account_name: None,
            endpoint_id: None,
            probe: None,
        };
        stripe_connection::connect(tx, act, &team.id, &connection)?;
    }
    Ok((user.id, team.id, project.id))
}

/// Where a server that will listen there can be reached from this machine. A host name stays as it
/// is: only an address can mean "every interface".
fn listening_url(listen: &str) -> String {
    match listen.parse() {
        Ok(address) => local_url(address),
        Err(_) => format!("http://{listen}"),
    }
}

fn for_people(founded: &Founded) -> String {
    let Founded {
        team_id,
        project_id,
        api_key,
        user_id,
        webhook_url,
        webhook_secret,
        stripe,
    } = founded;
    let connected = match (stripe, webhook_secret) {
        (Some(connected), _) => connected.sentence(),
        (None, Some(_)) => "The webhook secret is stored, sealed.".to_owned(),
        (None, None) => "Nothing of Stripe was given; connect the team later.".to_owned(),
    };
    format!(
        "User     {user_id}\nTeam     {team_id}\nProject  {project_id}\n\
         API key  {api_key}\n         (shown this once; only its hash is kept)\n\
         Webhook  {webhook_url}\n         {connected}"
    )
}
