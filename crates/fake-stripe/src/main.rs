//! Serves the fake from a process of its own, for tools that are not written in Rust.

use std::io;
use std::net::SocketAddr;

use clap::Parser;
use fake_stripe::{FakeStripe, Settings};

/// A stand-in for Stripe, for development and tests only.
#[derive(Debug, Parser)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    let fake = FakeStripe::start_with(Settings {
        listen: arguments.listen,
        ..Settings::default()
    })
    .await?;
    println!("{}", fake.base_url());
    fake.serve_forever().await;
    Ok(())
}
