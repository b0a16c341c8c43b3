//! The least that a JSON answer costs: the framework, a router, a value that is written.

use std::io::{Read as _, stdin};
use std::net::Ipv4Addr;

use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::Result;

/// As long as the answer of `/v1/me`.
#[derive(Serialize)]
struct Me {
    id: &'static str,
    email: &'static str,
    email_confirmed_at: &'static str,
    created_at: &'static str,
    roles: [&'static str; 0],
}

async fn me() -> Json<Me> {
    Json(Me {
        id: "usr_06gvphdrp5o011v2hsn0hj3mpc",
        email: "ada@example.org",
        email_confirmed_at: "2026-11-21T06:22:59.529Z",
        created_at: "2026-11-21T06:22:59.529Z",
        roles: [],
    })
}

/// Serves until the standard input ends; prints the address first.
pub(crate) fn serve() -> Result {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.enable_all().build().map_err(|e| format!("no runtime: {e}"))?;
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    let listener = listener.map_err(|e| format!("cannot listen: {e}"))?;
    println!("{}", listener.local_addr().map_err(|e| format!("no address: {e}"))?);
    let router = Router::new().route("/v1/me", get(me));
    let served = runtime.spawn(async { axum::serve(listener, router).await });
    // Whoever started us has ended, or wants us to.
    let _ = stdin().read_to_end(&mut Vec::new());
    served.abort();
    runtime.shutdown_background();
    Ok(())
}
