//! The statuses of Stripe's objects. Each list is open: a word that is not here moves no money.

text_enum! {
    /// Where an invoice stands
    /// (<https://docs.stripe.com/api/invoices/object#invoice_object-status>).
    pub enum InvoiceStatus {
        /// It is being written.
        Draft = "draft",
        /// It is to be paid.
        Open = "open",
        /// It was paid.
        Paid = "paid",
        /// The business gave up on it.
        Uncollectible = "uncollectible",
        /// It was taken back.
        Void = "void",
    }
}

text_enum! {
    /// Where a payment of an invoice stands.
    pub enum PaymentStatus {
        /// Not yet made.
        Open = "open",
        /// Made.
        Paid = "paid",
        /// It does not count for the invoice any more.
        Canceled = "canceled",
    }
}

text_enum! {
    /// Where a refund stands (<https://docs.stripe.com/api/refunds/object#refund_object-status>).
    pub enum RefundStatus {
        /// On its way.
        Pending = "pending",
        /// The customer has to do something first.
        RequiresAction = "requires_action",
        /// Done.
        Succeeded = "succeeded",
        /// The money came back to the business. Final, and told up to a month later.
        Failed = "failed",
        /// Called off. Final.
        Canceled = "canceled",
    }
}

text_enum! {
    /// Where a dispute stands (<https://docs.stripe.com/api/disputes/object#dispute_object-status>).
    pub enum DisputeStatus {
        /// An inquiry that waits for the business. It moves no money.
        WarningNeedsResponse = "warning_needs_response",
        /// An inquiry that is looked at.
        WarningUnderReview = "warning_under_review",
        /// An inquiry that is over.
        WarningClosed = "warning_closed",
        /// It waits for the business.
        NeedsResponse = "needs_response",
        /// The bank looks at it.
        UnderReview = "under_review",
        /// The charge was refunded instead; up to the API version of 2022-11-15.
        ChargeRefunded = "charge_refunded",
        /// The business won.
        Won = "won",
        /// The business lost, perhaps in part only.
        Lost = "lost",
        /// It was settled before it became one.
        Prevented = "prevented",
        /// It was appealed, and waits for the business.
        AppealNeedsResponse = "appeal_needs_response",
        /// It was appealed, and the bank looks at it.
        AppealUnderReview = "appeal_under_review",
    }
}

impl InvoiceStatus {
    /// Of two versions of one second, the one further on is the later.
    pub(super) const fn rank(self) -> u8 {
        match self {
            InvoiceStatus::Draft | InvoiceStatus::Other(_) => 0,
            InvoiceStatus::Open => 1,
            InvoiceStatus::Paid => 2,
            InvoiceStatus::Uncollectible => 3,
            InvoiceStatus::Void => 4,
        }
    }
}

impl PaymentStatus {
    /// Like [`InvoiceStatus::rank`].
    pub(super) const fn rank(self) -> u8 {
        match self {
            PaymentStatus::Open | PaymentStatus::Other(_) => 0,
            PaymentStatus::Paid => 1,
            PaymentStatus::Canceled => 2,
        }
    }
}

impl RefundStatus {
    /// Whether the money stayed with the business after all, for good.
    pub const fn is_undone(self) -> bool {
        matches!(self, RefundStatus::Failed | RefundStatus::Canceled)
    }

    /// Like [`InvoiceStatus::rank`].
    pub(super) const fn rank(self) -> u8 {
        match self {
            RefundStatus::Other(_) => 0,
            RefundStatus::Pending => 1,
            RefundStatus::RequiresAction => 2,
            RefundStatus::Succeeded => 3,
            RefundStatus::Failed => 4,
            RefundStatus::Canceled => 5,
        }
    }
}

impl DisputeStatus {
    /// Whether it is one of a real dispute, whose money is where its lines say.
    pub(super) const fn is_dispute(self) -> bool {
        use DisputeStatus::{
            AppealNeedsResponse, AppealUnderReview, ChargeRefunded, Lost, NeedsResponse,
            UnderReview, Won,
        };
        matches!(
            self,
            NeedsResponse
                | UnderReview
                | ChargeRefunded
                | Won
                | Lost
                | AppealNeedsResponse
                | AppealUnderReview
        )
    }

    /// Whether it is still to be decided, as an inquiry or as a dispute.
    pub const fn is_open(self) -> bool {
        use DisputeStatus::{
            AppealNeedsResponse, AppealUnderReview, NeedsResponse, UnderReview,
            WarningNeedsResponse, WarningUnderReview,
        };
        matches!(
            self,
            WarningNeedsResponse
                | WarningUnderReview
                | NeedsResponse
                | UnderReview
                | AppealNeedsResponse
                | AppealUnderReview
        )
    }
}
