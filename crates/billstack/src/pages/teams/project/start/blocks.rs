//! Commands to be run as they are, and code to be taken along.

use billstack_store::customers::Customer;
use maud::{Markup, html};

/// Where calls go, and the key they go with.
pub(super) struct Calls<'c> {
    /// The address of the project in the API.
    pub(super) api: &'c str,
    /// The key, if it has just been made.
    pub(super) key: Option<&'c str>,
}

impl Calls<'_> {
    /// The key, or what stands for it.
    fn key(&self) -> &str {
        self.key.unwrap_or("$BILLSTACK_KEY")
    }

    /// Two customers: one who recommends, and one who is new.
    pub(super) fn customers(&self) -> String {
        format!(
            r#"api="{}"
auth="Authorization: Bearer {}"
json="Content-Type: application/json"
field() {{ sed -n "s/.*\"$1\": *\"\([^\"]*\)\".*/\1/p"; }}
ada="$(curl -sS "$api/customers" -H "$auth" -H "$json" \
  -d '{{"email":"ada@example.com","name":"Ada"}}' | field id)"
grace="$(curl -sS "$api/customers" -H "$auth" -H "$json" \
  -d '{{"email":"grace@example.com","name":"Grace"}}' | field id)"
echo "$ada recommends, $grace is new"
"#,
            self.api,
            self.key()
        )
    }

    /// A code of who recommends.
    pub(super) fn code(&self) -> String {
        r#"code="$(curl -sS "$api/referrals/codes" -H "$auth" -H "$json" \
  -d "{\"customerId\":\"$ada\"}" | field code)"
echo "$code"
"#
        .to_owned()
    }

    /// Who is new applies it.
    pub(super) fn apply(&self) -> String {
        r#"curl -sS "$api/referrals/apply" -H "$auth" -H "$json" -w '\n' \
  -d "{\"code\":\"$code\",\"refereeCustomerId\":\"$grace\"}"
"#
        .to_owned()
    }

    /// Stripe tells of a subscription of who is new, as far as this server can see.
    pub(super) fn event(webhook_url: &str, friend: &Customer) -> String {
        let (id, by_stripe) = (&friend.id, friend.stripe_customer_id.as_deref());
        // Whoever is not linked yet is linked by the event.
        let by_stripe = by_stripe.unwrap_or("cus_try_$now");
        format!(
            r#"now="$(date +%s)"
event="{{\"id\":\"evt_try_$now\",\"object\":\"event\",\"type\":\"customer.subscription.created\",
  \"created\":$now,\"livemode\":false,\"data\":{{\"object\":{{\"id\":\"sub_try_$now\",
  \"object\":\"subscription\",\"status\":\"active\",\"created\":$now,\"customer\":\"{by_stripe}\",
  \"metadata\":{{\"billstackCustomerId\":\"{id}\"}}}}}}}}"
signature="$(printf '%s.%s' "$now" "$event" |
  openssl dgst -sha256 -hmac "$STRIPE_WEBHOOK_SECRET" -r | cut -d ' ' -f 1)"
curl -sS "{webhook_url}" -H "Content-Type: application/json" -w '\n' \
  -H "Stripe-Signature: t=$now,v1=$signature" --data-binary "$event"
"#
        )
    }

    /// The same for a server.
    pub(super) fn server(&self) -> String {
        format!(
            r#"// In your sign-up, once the account is made. A second call answers like the first.
const answer = await fetch("{}/referrals/apply", {{
  method: "POST",
  headers: {{
    "Authorization": `Bearer ${{process.env.BILLSTACK_KEY}}`,
    "Content-Type": "application/json",
  }},
  body: JSON.stringify({{ code, refereeCustomerId }}),
}});
"#,
            self.api
        )
    }
}

/// Text to copy as a whole.
pub(super) fn block(title: &str, text: &str) -> Markup {
    html! {
        figure.block {
            figcaption { (title) }
            pre tabindex="0" { code { (text) } }
            button.plain type="button" data-copy=(text) hidden aria-label={ "Copy: " (title) } { "Copy" }
        }
    }
}
