//! Where the webhooks of the history go: one receiver that takes them, and one that never does.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use crate::cli::output::Failure;

/// A server on this machine; it ends with this.
pub(in crate::cli::demo) struct Receivers {
    url: String,
    serving: AbortHandle,
}

impl Receivers {
    pub(super) async fn start() -> Result<Receivers, Failure> {
        let router = Router::new()
            .route("/analytics", post(async || StatusCode::NO_CONTENT))
            .route(
                "/crm",
                post(async || {
                    (
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "no such table: contacts\n",
                    )
                }),
            );
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.map_err(Failure::refused)?;
        let address = listener.local_addr().map_err(Failure::refused)?;
        let serving = tokio::spawn(async move {
            // It goes on until it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Receivers {
            url: format!("http://{address}"),
            serving: serving.abort_handle(),
        })
    }

    /// The one that takes everything.
    pub(super) fn well(&self) -> String {
        format!("{}/analytics", self.url)
    }

    /// The one that fails.
    pub(super) fn broken(&self) -> String {
        format!("{}/crm", self.url)
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
