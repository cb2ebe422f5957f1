//! Sends spans with the runtime of the server: the exporter calls from a thread of its own, which has none.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// Answers of a receiver are a few bytes; more is not read.
const LARGEST: usize = 64 << 10;

pub(super) struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    pub(super) fn new(timeout: Duration) -> Result<Self, String> {
        let runtime = Handle::try_current().map_err(|e| e.to_string())?;
        // Where something else was installed before, that is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // No proxy of the environment and no redirects: spans go where the settings say.
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(timeout)
            .build()
            .map_err(|e| e.to_string())?;
        Ok(Sender { client, runtime })
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sender")
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = self.client.clone();
        let sending = self.runtime.spawn(async move {
            let request = reqwest::Request::try_from(request)?;
            let mut answer = client.execute(request).await?;
            let status = answer.status();
            let mut body = vec![];
            while let Some(piece) = answer.chunk().await? {
                if body.len() + piece.len() > LARGEST {
                    break;
                }
                body.extend_from_slice(&piece);
            }
            let mut whole = Response::new(Bytes::from(body));
            *whole.status_mut() = status;
            Ok::<_, HttpError>(whole)
        });
        sending.await?
    }
}
