//! Customers as Dub's own export writes them: amounts are texts of money, and a link is the short link.

use serde_json::json;

use super::{Shop, counts, told};

/// Every column that can be chosen, with one customer who has paid, one who has not, and one whom a campaign brought.
const WHOLE: &str = "\
id,name,email,avatar,externalId,stripeCustomerId,country,sales,saleAmount,createdAt,firstSaleAt,subscriptionCanceledAt,link,partnerId,partnerName,partnerEmail,partnerTenantId
cus_1,Fred,fred@example.com,,user-1,cus_fred,DE,0,$0.00,2026-01-01T00:00:00.000Z,,,https://go.example.com/adam,pn_1,Adam,adam@example.com,
cus_2,Old,old@example.com,,user-2,,DE,2,\"$1,049.00\",2026-01-01T00:00:00.000Z,2026-01-02T00:00:00.000Z,,https://go.example.com/adam,pn_1,Adam,adam@example.com,
cus_3,Nora,nora@example.com,,user-3,,DE,0,$0.00,2026-01-01T00:00:00.000Z,,,https://go.example.com/spring-sale,,,,
";

#[test]
fn the_export_of_customers_is_read_as_it_is_written() {
    let shop = Shop::new();
    let (_, status, report) = shop.rehearsed("dub", WHOLE);
    assert_eq!(
        (status, counts(&report)),
        (Some(0), [4, 1, 1, 1, 0, 0]),
        "{report}"
    );
    let (owner, brought) = shop.of_code("adam");
    assert_eq!(owner, "adam@example.com");
    assert_eq!(brought, ["fred@example.com"]);
    shop.is_sound();
}

/// Without the partner's columns the short link alone says who it was, and a link of nobody is told.
#[test]
fn the_last_part_of_a_short_link_is_its_key() {
    let shop = Shop::new();
    shop.import("csv", "email,code\nadam@example.com,adam\n", &[]);
    let customers = "\
name,email,externalId,sales,saleAmount,link
Fred,fred@example.com,user-1,0,$0.00,https://go.example.com/adam
Gwen,gwen@example.com,user-2,0,$0.00,https://go.example.com/refer/Adam/?utm_source=x#top
Hans,hans@example.com,user-3,0,$0.00,https://go.example.com/eva
";
    let (status, report) = shop.import("dub", customers, &[]);
    assert_eq!(
        (status, counts(&report)),
        (Some(1), [2, 0, 2, 0, 0, 1]),
        "{report}"
    );
    let refused = told(&report, "refused");
    assert!(
        matches!(&refused[..], [(4, why)] if why.contains("`eva`")),
        "{report}"
    );
    let friends = ["fred@example.com", "gwen@example.com"];
    assert_eq!(shop.of_code("adam").1, friends);
    shop.is_sound();
}

/// The columns that are chosen unless others are: nothing in them tells who brought somebody.
#[test]
fn a_file_that_cannot_tell_who_brought_somebody_is_refused_whole() {
    let shop = Shop::new();
    let customers = "\
id,name,email,avatar,externalId,stripeCustomerId,country,sales,saleAmount,createdAt,firstSaleAt,subscriptionCanceledAt
cus_1,Fred,fred@example.com,,user-1,cus_fred,DE,0,$0.00,2026-01-01T00:00:00.000Z,,
";
    let of_api = r#"[{"id":"cus_1","name":"Fred","email":"fred@example.com","externalId":"user-1","sales":0}]"#;
    for text in [customers, of_api] {
        std::fs::write(shop.place.file("file"), text).expect("written");
        for more in [&["--dry-run"][..], &[]] {
            let args = [&["import", "file", "--format", "dub"], more].concat();
            let why = shop.run(&args).refused(2);
            for part in ["`partneremail`", "`link`", "--format csv"] {
                assert!(why.contains(part), "{why}");
            }
        }
    }
    assert_eq!(shop.get("/customers")["customers"], json!([]));
    // The people alone go in as those of any other file do.
    let (status, report) = shop.import("csv", customers, &[]);
    assert_eq!((status, counts(&report)[0]), (Some(0), 1), "{report}");
}
