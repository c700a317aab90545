"""Drives every endpoint of the fake with Stripe's own library and checks what comes back.

    python prove.py http://127.0.0.1:PORT

Exits with an error at the first thing that is not as the library expects it from Stripe.
"""

import sys
import urllib.parse
import urllib.request

import stripe

KEY = "sk_test_proof"


class Proof:
    """The steps, in the order in which they are run."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.stripe = self.client(KEY)

    def client(self, key: str) -> stripe.StripeClient:
        return stripe.StripeClient(key, base_addresses={"api": self.base_url}, max_network_retries=0)

    def order_fault(self, **fault: object) -> None:
        form = urllib.parse.urlencode(fault).encode()
        with urllib.request.urlopen(f"{self.base_url}/_fake/faults", form) as answer:
            assert answer.status == 200

    def customer(self, **params: object) -> stripe.Customer:
        return self.stripe.v1.customers.create(params)

    def step_account(self) -> None:
        account = self.stripe.v1.accounts.retrieve_current()
        assert account.object == "account" and account.id.startswith("acct_")
        assert account.settings.dashboard.display_name == account.business_profile.name
        assert account.default_currency == "usd" and account.charges_enabled is True

    def step_customers(self) -> None:
        customers = self.stripe.v1.customers
        made = self.customer(email="ann@shop.test", name="Ann", metadata={"project_id": "proj_1", "plan": "pro"})
        assert isinstance(made, stripe.Customer) and made.id.startswith("cus_")
        assert made.email == "ann@shop.test" and made.livemode is False and made.balance == 0
        assert made.metadata["project_id"] == "proj_1" and made.currency is None
        assert made.last_response.request_id.startswith("req_")

        same = customers.retrieve(made.id)
        assert same.to_dict() == made.to_dict()

        changed = customers.update(made.id, {"name": "Ann B.", "metadata": {"plan": "", "team": "x"}})
        assert changed.name == "Ann B." and changed.email == "ann@shop.test"
        assert changed.metadata.to_dict() == {"project_id": "proj_1", "team": "x"}

        later = self.customer(email="ann@shop.test")
        self.customer(email="ben@shop.test")
        found = customers.list({"email": "ann@shop.test", "limit": 1})
        assert isinstance(found, stripe.ListObject) and found.has_more is True
        assert [one.id for one in found.data] == [later.id]
        assert [one.id for one in found.auto_paging_iter()] == [later.id, made.id]

        gone = customers.delete(later.id)
        assert gone.deleted is True and customers.retrieve(later.id).deleted is True
        assert [one.id for one in customers.list({"email": "ann@shop.test"}).data] == [made.id]
        expect(stripe.InvalidRequestError, lambda: customers.update(later.id, {"name": "x"}), 404, "resource_missing")

    def step_idempotency(self) -> None:
        customers = self.stripe.v1.customers
        options = {"idempotency_key": "proof-1"}
        first = customers.create({"email": "key@shop.test"}, options)
        again = customers.create({"email": "key@shop.test"}, options)
        assert again.id == first.id
        assert "idempotent-replayed" not in first.last_response.headers
        assert again.last_response.headers["Idempotent-Replayed"] == "true"
        assert first.last_response.idempotency_key == "proof-1"
        expect(stripe.IdempotencyError, lambda: customers.create({"email": "other@shop.test"}, options), 400)
        assert len(customers.list({"email": "key@shop.test"}).data) == 1

        self.order_fault(fault="status", status=500, method="POST", path="/v1/customers")
        options = {"idempotency_key": "proof-2"}
        for _ in range(2):
            expect(stripe.APIError, lambda: customers.create({"email": "key@shop.test"}, options), 500)
        assert len(customers.list({"email": "key@shop.test"}).data) == 1

    def step_faults(self) -> None:
        customers = self.stripe.v1.customers
        for reason in ("global-rate", "endpoint-rate", "global-concurrency", "endpoint-concurrency", "resource-specific"):
            self.order_fault(reason=reason)
            error = expect(stripe.RateLimitError, customers.list, 429, "rate_limit")
            assert error.headers["Stripe-Rate-Limited-Reason"] == reason
        self.order_fault(fault="status", status=429, code="lock_timeout")
        expect(stripe.RateLimitError, customers.list, 429, "lock_timeout")
        self.order_fault(permission="rak_customer_write")
        error = expect(stripe.PermissionError, customers.list, 403)
        assert "Having the 'rak_customer_write' permission" in str(error)
        self.order_fault(fault="proxy_page")
        expect(stripe.APIError, customers.list, 502)
        self.order_fault(fault="unreadable")
        expect(stripe.APIError, customers.list, 200)

    def step_retries_of_the_library(self) -> None:
        patient = stripe.StripeClient(KEY, base_addresses={"api": self.base_url}, max_network_retries=2)
        self.order_fault(fault="reset_after_commit", method="POST", path="/v1/customers")
        made = patient.v1.customers.create({"email": "retry@shop.test"})
        assert made.last_response.headers["Idempotent-Replayed"] == "true"
        assert [one.id for one in patient.v1.customers.list({"email": "retry@shop.test"}).data] == [made.id]

    def step_subscriptions(self) -> None:
        subscriptions = self.stripe.v1.subscriptions
        customer = self.customer(email="sub@shop.test")
        made = subscriptions.create(
            {"customer": customer.id, "items": [{"price": "price_pro"}], "metadata": {"project_id": "proj_1"}}
        )
        assert isinstance(made, stripe.Subscription) and made.id.startswith("sub_")
        assert made.status == "active" and made.customer == customer.id
        assert made["items"].data[0].price.id == "price_pro"
        assert made["items"].data[0].current_period_end > made.created
        assert self.stripe.v1.customers.retrieve(customer.id).currency == "usd"

        trial = subscriptions.create({"customer": customer.id, "items": [{"price": "price_pro"}], "trial_period_days": 14})
        assert trial.status == "trialing" and trial.trial_end == trial.created + 14 * 86400
        data = {"currency": "eur", "unit_amount": 900, "product": "prod_1", "recurring": {"interval": "month"}}
        waiting = subscriptions.create(
            {"customer": customer.id, "items": [{"price_data": data}], "payment_behavior": "default_incomplete"}
        )
        assert waiting.status == "incomplete" and waiting["items"].data[0].price.unit_amount == 900

        read = subscriptions.retrieve(made.id, {"expand": ["customer"]})
        assert isinstance(read.customer, stripe.Customer) and read.customer.email == "sub@shop.test"
        changed = subscriptions.update(made.id, {"metadata": {"seen": "yes"}, "cancel_at_period_end": True})
        assert changed.metadata.to_dict() == {"project_id": "proj_1", "seen": "yes"}
        assert changed.cancel_at_period_end is True

        listed = subscriptions.list({"customer": customer.id, "status": "all", "limit": 2})
        assert [one.id for one in listed.data] == [waiting.id, trial.id] and listed.has_more is True
        listed = subscriptions.list({"customer": customer.id, "status": "trialing"})
        assert [one.id for one in listed.data] == [trial.id]
        expect(stripe.InvalidRequestError, lambda: subscriptions.retrieve("sub_none"), 404, "resource_missing")

    def step_checkout_sessions(self) -> None:
        sessions = self.stripe.v1.checkout.sessions
        customer = self.customer(email="checkout@shop.test")
        params = {
            "mode": "subscription",
            "line_items": [{"price": "price_pro", "quantity": 1}],
            "success_url": "https://shop.example/thanks",
            "client_reference_id": "pc_1",
            "metadata": {"project_id": "proj_1"},
            "subscription_data": {"metadata": {"project_id": "proj_1"}},
        }
        made = sessions.create({**params, "customer": customer.id})
        assert isinstance(made, stripe.checkout.Session) and made.id.startswith("cs_test_")
        assert (made.mode, made.status, made.payment_status) == ("subscription", "open", "unpaid")
        assert made.customer == customer.id and made.client_reference_id == "pc_1"
        assert made.metadata.to_dict() == {"project_id": "proj_1"} and made.url
        read = sessions.retrieve(made.id, {"expand": ["customer"]})
        assert read.customer.email == "checkout@shop.test"
        unknown = sessions.create({**params, "customer_email": "new@shop.test"})
        assert unknown.customer is None and unknown.customer_details.email == "new@shop.test"
        missing = {name: value for name, value in params.items() if name != "line_items"}
        error = expect(stripe.InvalidRequestError, lambda: sessions.create(missing), 400, "parameter_missing")
        assert error.param == "line_items"

    def step_balance_transactions(self) -> None:
        transactions = self.stripe.v1.customers.balance_transactions
        customer = self.customer(email="balance@shop.test")
        credit = transactions.create(
            customer.id,
            {"amount": -1000, "currency": "usd", "description": "Referral", "metadata": {"entry_id": "cr_1"}},
        )
        assert isinstance(credit, stripe.CustomerBalanceTransaction) and credit.id.startswith("cbtxn_")
        assert (credit.amount, credit.ending_balance, credit.type) == (-1000, -1000, "adjustment")
        assert credit.customer == customer.id and credit.metadata["entry_id"] == "cr_1"
        debit = transactions.create(customer.id, {"amount": 400, "currency": "usd"})
        assert debit.ending_balance == -600
        now = self.stripe.v1.customers.retrieve(customer.id)
        assert (now.currency, now.balance) == ("usd", -600)
        listed = transactions.list(customer.id, {"limit": 10})
        assert [one.id for one in listed.data] == [debit.id, credit.id] and listed.has_more is False
        assert transactions.retrieve(customer.id, credit.id).to_dict() == credit.to_dict()
        since = transactions.list(customer.id, {"created": {"gte": credit.created}, "starting_after": debit.id})
        assert [one.id for one in since.data] == [credit.id]
        assert transactions.list(customer.id, {"created": {"lt": credit.created}}).data == []
        edited = transactions.update(customer.id, credit.id, {"description": "Thanks", "metadata": {"by": "hand"}})
        assert edited.description == "Thanks" and edited.amount == -1000
        assert edited.metadata.to_dict() == {"entry_id": "cr_1", "by": "hand"}
        update = self.stripe.v1.events.list({"limit": 1, "type": "customer.updated"}).data[0]
        assert update.data.object.balance == -600 and update.data.previous_attributes.balance == -1000
        self.stripe.v1.customers.delete(customer.id)
        assert self.stripe.v1.customers.retrieve(customer.id).deleted is True
        expect(
            stripe.InvalidRequestError,
            lambda: transactions.create(customer.id, {"amount": -1, "currency": "usd"}),
            404,
            "resource_missing",
        )
        expect(
            stripe.InvalidRequestError,
            lambda: transactions.create("cus_none", {"amount": -1, "currency": "usd"}),
            404,
            "resource_missing",
        )

    def step_money(self) -> None:
        v1 = self.stripe.v1
        invoice = v1.invoices.retrieve("in_money", {"expand": ["payments"]})
        assert isinstance(invoice, stripe.Invoice) and invoice.status == "paid"
        assert (invoice.total, invoice.amount_due, invoice.amount_paid) == (3500, 3000, 3000)
        assert (invoice.starting_balance, invoice.ending_balance) == (-500, 0)
        assert invoice.parent.subscription_details.subscription == "sub_money"
        assert [one.amount_paid for one in invoice.payments.data] == [2000, 1000]
        assert "payments" not in v1.invoices.retrieve("in_money").to_dict()

        payments = v1.invoice_payments.list({"invoice": "in_money"}).data
        assert all(isinstance(one, stripe.InvoicePayment) and one.status == "paid" for one in payments)
        intent = payments[1].payment.payment_intent
        found = v1.invoice_payments.list({"payment": {"type": "payment_intent", "payment_intent": intent}}).data
        assert [one.invoice for one in found] == ["in_money"]

        charge = v1.charges.retrieve(v1.payment_intents.retrieve(intent).latest_charge)
        assert isinstance(charge, stripe.Charge) and charge.customer == "cus_money"
        assert (charge.amount_captured, charge.amount_refunded, charge.disputed) == (1000, 300, True)
        refund = v1.refunds.list({"charge": charge.id}).data[0]
        assert isinstance(refund, stripe.Refund) and (refund.amount, refund.status) == (300, "succeeded")
        dispute = v1.disputes.list({"charge": charge.id}).data[0]
        assert isinstance(dispute, stripe.Dispute) and (dispute.amount, dispute.status) == (700, "lost")
        assert [one.amount for one in dispute.balance_transactions] == [-700, 200]
        note = v1.credit_notes.list({"invoice": "in_money"}).data[0]
        assert isinstance(note, stripe.CreditNote) and (note.amount, note.post_payment_amount) == (500, 500)
        assert note.refunds[0].amount_refunded == 400
        lines = v1.customers.balance_transactions.list("cus_money").data
        assert [(one.type, one.amount) for one in lines] == [
            ("credit_note", -100), ("applied_to_invoice", 500), ("adjustment", -500)
        ]
        assert lines[0].id == note.customer_balance_transaction and lines[1].invoice == "in_money"
        told = v1.events.list({"limit": 100, "types": ["invoice_payment.paid", "charge.dispute.closed"]}).data
        assert [one.data.object.object for one in told] == ["dispute", "invoice_payment", "invoice_payment"]
        expect(stripe.InvalidRequestError, lambda: v1.charges.retrieve("ch_none"), 404, "resource_missing")

    def step_events(self) -> None:
        customer = self.customer(email="event@shop.test")
        newest = self.stripe.v1.events.list({"limit": 1, "type": "customer.created"}).data[0]
        assert isinstance(newest, stripe.Event) and newest.data.object.id == customer.id
        assert newest.request.id == customer.last_response.request_id
        assert self.stripe.v1.events.retrieve(newest.id).to_dict() == newest.to_dict()
        self.stripe.v1.customers.update(customer.id, {"name": "New"})
        update = self.stripe.v1.events.list({"limit": 1, "types": ["customer.updated"]}).data[0]
        assert update.data.previous_attributes.to_dict() == {"name": None}
        params = {"types": ["customer.created", "customer.updated"], "created": {"gte": newest.created}, "limit": 100}
        listed = self.stripe.v1.events.list(params).data
        assert [one.id for one in listed[:2]] == [update.id, newest.id]
        rest = self.stripe.v1.events.list({**params, "starting_after": update.id, "limit": 1})
        assert [one.id for one in rest.data] == [newest.id]
        many = [f"customer.{number}" for number in range(21)]
        expect(stripe.InvalidRequestError, lambda: self.stripe.v1.events.list({"types": many}), 400)
        expect(stripe.InvalidRequestError, lambda: self.stripe.v1.events.retrieve("evt_none"), 404, "resource_missing")

    def step_modes(self) -> None:
        live = self.client("sk_live_proof")
        made = live.v1.customers.create({"email": "live@shop.test"})
        assert made.livemode is True
        expect(stripe.InvalidRequestError, lambda: self.stripe.v1.customers.retrieve(made.id), 404, "resource_missing")

    def step_errors(self) -> None:
        wrong = self.client("sk_wrong")
        expect(stripe.AuthenticationError, wrong.v1.accounts.retrieve_current, 401)
        expect(stripe.PermissionError, self.client("pk_test_x").v1.accounts.retrieve_current, 403)
        error = expect(
            stripe.InvalidRequestError, lambda: self.customer(email="not an address"), 400, "email_invalid"
        )
        assert error.param == "email" and error.request_id.startswith("req_")
        expect(stripe.InvalidRequestError, lambda: self.customer(colour="red"), 400, "parameter_unknown")
        expect(stripe.InvalidRequestError, lambda: self.stripe.v1.products.list(), 404)
        self.order_fault(fault="status", status=429, path="/v1/customers")
        error = expect(stripe.RateLimitError, lambda: self.stripe.v1.customers.list(), 429, "rate_limit")
        assert error.headers["Retry-After"] == "1"
        self.order_fault(fault="status", status=503, path="/v1/customers")
        expect(stripe.APIError, lambda: self.stripe.v1.customers.list(), 503)
        self.order_fault(fault="reset", path="/v1/customers")
        expect(stripe.APIConnectionError, lambda: self.stripe.v1.customers.list(), None)

    def run(self) -> None:
        for name in [name for name in vars(Proof) if name.startswith("step_")]:
            getattr(self, name)()
            print(f"ok {name.removeprefix('step_')}")


def expect(kind: type, call, status: int | None, code: str | None = None) -> stripe.StripeError:
    """Runs a call that has to fail with exactly this class, status and code."""
    try:
        call()
    except stripe.StripeError as error:
        assert type(error) is kind, f"{type(error).__name__} instead of {kind.__name__}: {error}"
        assert error.http_status == status, f"{error.http_status} instead of {status}: {error}"
        # Not every class of the library passes the code on.
        said = (error.json_body or {}).get("error", {}).get("code")
        assert code is None or said == code, f"{said} instead of {code}: {error}"
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: prove.py BASE_URL")
    Proof(sys.argv[1].rstrip("/")).run()
