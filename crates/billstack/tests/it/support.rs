//! What the tests stand on: a real server on either database, clients, and Stripe's side.

pub(crate) mod bench;
pub(crate) mod client;
pub(crate) mod database;
pub(crate) mod document;
pub(crate) mod draw;
pub(crate) mod fixture;
pub(crate) mod node;
pub(crate) mod python;
pub(crate) mod raw;
pub(crate) mod receiver;
pub(crate) mod stripe;

/// Makes two tests of each `async fn(&Bench)` named: `sqlite::…` and `postgres::…`.
///
/// `name with setup` runs it on a bench that the function `setup` describes.
macro_rules! on_both_engines {
    ($($name:ident $(with $setup:ident)?),* $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() {
                let setup = $crate::support::setup!($($setup)?);
                $crate::support::bench::run(
                    $crate::support::database::Engine::Sqlite, setup, super::$name,
                );
            })*
        }

        mod postgres {
            $(#[test]
            fn $name() {
                let setup = $crate::support::setup!($($setup)?);
                $crate::support::bench::run(
                    $crate::support::database::Engine::Postgres, setup, super::$name,
                );
            })*
        }
    };
}

/// Makes a test `two_nodes::…` of each `async fn(&Bench)` named: two servers on one PostgreSQL.
macro_rules! on_two_nodes {
    ($($name:ident $(with $setup:ident)?),* $(,)?) => {
        mod two_nodes {
            $(#[test]
            fn $name() {
                let setup = $crate::support::bench::Setup {
                    nodes: 2,
                    ..$crate::support::setup!($($setup)?)
                };
                $crate::support::bench::run(
                    $crate::support::database::Engine::Postgres, setup, super::$name,
                );
            })*
        }
    };
}

/// Makes a test `pooled::…` of each `async fn(&Bench)` named: two servers behind one PgBouncer.
macro_rules! behind_a_pooler {
    ($($name:ident),* $(,)?) => {
        mod pooled {
            $(#[test]
            fn $name() {
                let setup = $crate::support::bench::Setup {
                    nodes: 2,
                    ..$crate::support::bench::Setup::default()
                };
                $crate::support::bench::run(
                    $crate::support::database::Engine::Pooled, setup, super::$name,
                );
            })*
        }
    };
}

/// Makes a test of each on both engines, and one on two nodes.
macro_rules! on_one_node_and_two {
    ($($tests:tt)*) => {
        on_both_engines! { $($tests)* }
        on_two_nodes! { $($tests)* }
    };
}

macro_rules! setup {
    () => {
        $crate::support::bench::Setup::default()
    };
    ($setup:ident) => {
        super::$setup()
    };
}
pub(crate) use setup;
