use super::*;

use crate::referral::{ApplyFacts, GRACE, Person, Terms, decide_apply};
use crate::source::Attribution;
use crate::stripe_event::Source;
use proptest::prelude::*;

const NOW: Micros = Micros::from_secs(1_700_000_000);

fn start(began_at: Micros, occurred_at: Micros) -> Start {
    Start {
        object_id: "sub_1".to_owned(),
        source: Source::Subscription,
        subscription_id: None,
        eligibility: Eligibility::Counts,
        reason: None,
        began_at,
        occurred_at,
        ended_at: None,
        stripe_customer_id: Some("cus_1".to_owned()),
        stripe_customer_account: None,
        client_reference_id: None,
        buyer_email: None,
        is_trial: false,
        invoice: None,
        billstack_customer_id: None,
        project_id: None,
    }
}

fn referral(status: Status, created_at: Micros, grace: i64) -> Referral {
    Referral {
        id: "ref_1".to_owned(),
        code: "K7M2QX9D".to_owned(),
        referrer_customer_id: "pc_1".to_owned(),
        referee_customer_id: "pc_2".to_owned(),
        status,
        created_at,
        clock_offset: 0,
        converted_at: None,
        terms: Terms {
            grace,
            ..Terms::default()
        },
        question_since: None,
        attribution: Attribution::CODE,
    }
}

fn claim(project: &str, id: &str, referee: &str, created_at: i64) -> Claim {
    Claim {
        project_id: ProjectId::from(project),
        is_test: false,
        referral: Referral {
            id: id.to_owned(),
            referee_customer_id: referee.to_owned(),
            ..referral(Status::Pending, Micros(created_at), GRACE)
        },
    }
}

fn found(project: &str, id: &str, stripe: Option<&str>) -> Found {
    Found {
        project_id: ProjectId::from(project),
        is_test: false,
        customer_id: id.to_owned(),
        stripe_customer_id: stripe.map(str::to_owned),
        is_erased: false,
    }
}

#[test]
fn reasons_have_their_phrases() {
    assert_eq!(NotConverted::AlreadyConverted.as_str(), "already converted");
    assert_eq!(NotConverted::AlreadyReferred.as_str(), "already referred");
    assert_eq!(NotConverted::SelfReferral.as_str(), "self-referral");
    assert_eq!(NotConverted::ReferralExpired.as_str(), "referral expired");
    assert_eq!(NotConverted::BeganTooEarly.as_str(), "began too early");
}

#[test]
fn a_status_of_a_newer_version_does_not_convert() {
    let unknown = referral(Status::read("reversed").unwrap(), NOW, GRACE);
    let decided = conversion_time(&unknown, &start(NOW, NOW), Some(NOW));
    assert_eq!(decided, Err(NotConverted::ReferralExpired));
}

#[test]
fn what_a_newer_version_decided_is_not_decided_anew() {
    let newer = Outcome::read("foreseen").unwrap();
    for which in [Reconsider::Unplaced, Reconsider::Open] {
        assert!(!which.includes(Outcome::Converted) && !which.includes(newer));
        assert!(which.includes(Outcome::NoCustomer));
        assert_eq!(
            which.includes(Outcome::Waiting),
            which != Reconsider::Unplaced
        );
    }
}

#[test]
fn of_several_in_a_project_the_first_is_meant() {
    let claims = [
        claim("proj_1", "ref_2", "pc_2", 20),
        claim("proj_1", "ref_1", "pc_1", 10),
        claim("proj_2", "ref_3", "pc_3", 5),
    ];
    let mut event = start(NOW, NOW);
    let meant_by = |event: &Start| {
        let found = meant(event, &claims, &claims);
        let ids = |claims: &[&Claim]| -> Vec<String> {
            claims
                .iter()
                .map(|claim| claim.referral.id.clone())
                .collect()
        };
        (ids(&found.claims), ids(&found.late))
    };
    let texts = |ids: &[&str]| -> Vec<String> { ids.iter().map(|id| (*id).to_owned()).collect() };
    assert_eq!(
        meant_by(&event),
        (texts(&["ref_1", "ref_3"]), texts(&["ref_2"]))
    );
    event.billstack_customer_id = Some("pc_3".to_owned());
    assert_eq!(meant_by(&event), (texts(&["ref_3"]), texts(&["ref_2"])));
}

#[test]
fn the_first_objection_is_told() {
    let all = Objections {
        is_late: true,
        is_own: true,
        is_paid: true,
        is_unanswered: true,
    };
    assert_eq!(all.first(), Some(NotConverted::AlreadyReferred));
    let own = Objections {
        is_late: false,
        ..all
    };
    assert_eq!(own.first(), Some(NotConverted::SelfReferral));
    let paid = Objections {
        is_own: false,
        ..own
    };
    assert_eq!(paid.first(), Some(NotConverted::AlreadyConverted));
    let unanswered = Objections {
        is_paid: false,
        ..paid
    };
    let waits = NotConverted::Unanswered;
    assert_eq!(unanswered.first(), Some(waits));
    assert_eq!(waits.outcome(), Outcome::Waiting);
    assert_eq!(
        NotConverted::AlreadyConverted.outcome(),
        Outcome::NoReferral
    );
    assert_eq!(Objections::default().first(), None);
}

#[test]
fn a_reference_that_buyers_set_speaks_for_the_unlinked_only() {
    let event = start(NOW, NOW);
    let leads = |linked: Option<&str>| Leads {
        by_reference: vec![found("proj_1", "pc_1", linked)],
        ..Leads::default()
    };
    let free = candidates(&event, None, &leads(None));
    assert_eq!(free.to_link, Some(found("proj_1", "pc_1", None)));
    assert_eq!(
        candidates(&event, None, &leads(Some("cus_9"))),
        Candidates::default()
    );

    let known = Leads {
        by_stripe_id: vec![found("proj_2", "pc_2", Some("cus_1"))],
        ..leads(None)
    };
    let by_link = candidates(&event, None, &known);
    assert_eq!(by_link.living, known.by_stripe_id);
    assert_eq!(by_link.to_link, None);
    // Whoever subscribed is known to be another one, so the reference makes nobody a customer.
    let mut hinted = event.clone();
    hinted.client_reference_id = Some("pc_1".to_owned());
    assert_eq!(names_spoken_for(&hinted, None, &known), ["stripe:cus_1"]);
    assert_eq!(
        names_spoken_for(&hinted, None, &leads(None)),
        ["customer:pc_1", "stripe:cus_1"]
    );
}

#[test]
fn a_link_is_disputed_by_a_reference_that_nothing_else_explains() {
    let event = start(NOW, NOW);
    let linked = found("proj_1", "pc_1", Some("cus_9"));
    let leads = Leads {
        by_reference: vec![linked.clone()],
        ..Leads::default()
    };
    assert_eq!(disputed(&event, None, &leads), Some(&linked));
    let elsewhere = ProjectId::from("proj_2");
    assert_eq!(disputed(&event, Some(&elsewhere), &leads), None);
    let never = Start {
        eligibility: Eligibility::Never,
        ..event.clone()
    };
    let nobody = Start {
        stripe_customer_id: None,
        ..event.clone()
    };
    for event in [never, nobody] {
        assert_eq!(disputed(&event, None, &leads), None);
    }
    // Whoever is known otherwise is who is meant.
    for known in [
        Leads {
            by_stripe_id: vec![found("proj_2", "pc_2", Some("cus_1"))],
            ..leads.clone()
        },
        Leads {
            by_metadata: vec![found("proj_1", "pc_2", None)],
            ..leads.clone()
        },
        Leads {
            by_reference: vec![found("proj_1", "pc_1", None)],
            ..leads
        },
    ] {
        assert_eq!(disputed(&event, None, &known), None);
    }
}

#[test]
fn metadata_is_heard_in_projects_where_nobody_is_known() {
    let event = start(NOW, NOW);
    let leads = Leads {
        by_stripe_id: vec![found("proj_1", "pc_1", Some("cus_1"))],
        by_metadata: vec![found("proj_1", "pc_9", None), found("proj_2", "pc_9", None)],
        ..Leads::default()
    };
    let heard = candidates(&event, None, &leads);
    assert_eq!(heard.to_link, Some(found("proj_2", "pc_9", None)));
    let named = ProjectId::from("proj_1");
    assert_eq!(candidates(&event, Some(&named), &leads).to_link, None);
    // What never leads to a subscription links nobody.
    let never = Start {
        eligibility: Eligibility::Never,
        ..event
    };
    let unlinked = candidates(&never, None, &leads);
    assert_eq!((unlinked.to_link, unlinked.living.len()), (None, 2));
}

proptest! {
    #[test]
    fn only_a_pending_referral_converts(
        created in any::<i64>(),
        began in any::<i64>(),
        occurred in any::<i64>(),
        grace in 0..=i64::MAX,
    ) {
        let decide = |status| {
            let referral = referral(status, Micros(created), grace);
            conversion_time(&referral, &start(Micros(began), Micros(occurred)), Some(Micros(began)))
        };
        prop_assert_eq!(decide(Status::Converted), Err(NotConverted::AlreadyConverted));
        prop_assert_eq!(decide(Status::Expired), Err(NotConverted::ReferralExpired));
        if let Ok(at) = decide(Status::Pending) {
            prop_assert!(at.0 >= created && (at.0 == created || at.0 == occurred));
        }
    }

    #[test]
    fn age_decides_a_pending_one(
        created in -1_i64 << 50..1_i64 << 50,
        before in -1_i64 << 50..1_i64 << 50,
        grace in 0..1_i64 << 50,
    ) {
        let created = Micros(created);
        let referral = referral(Status::Pending, created, grace);
        let decided = conversion_time(&referral, &start(created.plus(-before), NOW), Some(created.plus(-before)));
        prop_assert_eq!(decided == Err(NotConverted::BeganTooEarly), before > grace);
    }

    // A subscription that an apply calls too old must not convert that same referral, and one
    // it accepts must.
    #[test]
    fn apply_and_conversion_agree_on_age(before in -GRACE * 3..GRACE * 3) {
        let person = |customer_id| Person { customer_id, email: None, stripe_customer_id: None };
        let began = NOW.plus(-before);
        let facts = ApplyFacts {
            already_referred: false,
            program_enabled: true,
            click_expired: false,
            code_active: true,
            referrer: person("pc_1"),
            referee: person("pc_2"),
            is_reciprocal: false,
            earliest_subscription: Some(began),
            now: NOW,
            grace: GRACE,
        };
        let referral = referral(Status::Pending, NOW, GRACE);
        let converts = conversion_time(&referral, &start(began, NOW), Some(began)) == Ok(NOW);
        prop_assert_eq!(decide_apply(&facts).is_ok(), converts);
    }
}
