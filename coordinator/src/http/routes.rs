//! All addresses in one place.

use super::live::cors::{ACCEPT_PATCH, ACCEPT_POST, preflight, shared};
use super::live::{audio, control, whep};
use super::problem::{Problem, ProblemKind};
use super::{Api, avatars, events, health, keys, openapi, pages, renders, reports, retention, sessions, workers};
use actix_web::guard::{Any, Get, Head};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

/// Adds every route. `api` is shared by all of them.
pub fn configure(cfg: &mut ServiceConfig, api: Data<Api>) {
    cfg.app_data(api)
        .service(at("/v1/avatars").route(web::post().to(avatars::create)).route(web::get().to(avatars::list)))
        .service(at("/v1/avatars/{id}").route(web::get().to(avatars::read)).route(web::delete().to(avatars::delete)))
        .service(at("/v1/avatars/{id}/preview").route(get_or_head().to(avatars::preview)))
        .service(at("/v1/sessions").route(web::post().to(sessions::create)).route(web::get().to(sessions::list)))
        .configure(one_session)
        .service(at("/v1/renders").route(web::post().to(renders::create)))
        .service(at("/v1/renders/{id}").route(web::get().to(renders::read)).route(web::delete().to(renders::cancel)))
        .service(at("/v1/renders/{id}/result").route(get_or_head().to(renders::result)))
        .service(at("/v1/workers").route(web::get().to(workers::list)))
        .service(at("/v1/workers/{id}/drain").route(web::post().to(workers::drain)))
        .service(at("/v1/events").route(web::get().to(events::farm)))
        .service(at("/v1/keys").route(web::get().to(keys::list)).route(web::post().to(keys::create)))
        .service(at("/v1/keys/{id}").route(web::delete().to(keys::revoke)))
        .service(
            at("/v1/page/session")
                .route(web::get().to(pages::read))
                .route(web::post().to(pages::open))
                .route(web::delete().to(pages::close)),
        )
        .configure(reports::configure)
        .service(at("/v1/retention").route(web::get().to(retention::read)))
        .service(at("/healthz").route(get_or_head().to(health::health)))
        .service(at("/readyz").route(get_or_head().to(health::ready)))
        .service(at("/metrics").route(get_or_head().to(health::metrics)))
        .service(at("/openapi.json").route(get_or_head().to(openapi::description)))
        .service(at("/docs").route(get_or_head().to(openapi::docs_folder)))
        .service(at("/docs/{file:.*}").route(get_or_head().to(openapi::docs)))
        .service(at("/problems/{slug}").route(get_or_head().to(pages::problem)))
        .service(at("/assets/{file:.*}").route(get_or_head().to(pages::asset)))
        .default_service(web::to(nowhere));
    for path in ["/", "/studio", "/farm", "/cost"] {
        cfg.service(at(path).route(get_or_head().to(pages::page)));
    }
}

/// What pages of other sites may use, too, with the session's token.
fn one_session(cfg: &mut ServiceConfig) {
    cfg.service(
        at("/v1/sessions/{id}")
            .route(web::get().to(sessions::read))
            .route(web::delete().to(sessions::cancel))
            .route(preflight("GET, DELETE, OPTIONS", None))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/events")
            .route(web::get().to(events::session))
            .route(preflight("GET, OPTIONS", None))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/live")
            .route(web::get().to(control::status))
            .route(preflight("GET, OPTIONS", None))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/interrupt")
            .route(web::post().to(control::interrupt))
            .route(preflight("POST, OPTIONS", None))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/keep_alive")
            .route(web::post().to(control::keep_alive))
            .route(preflight("POST, OPTIONS", None))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/whep")
            .route(web::post().to(whep::offer))
            .route(preflight("POST, OPTIONS", Some((ACCEPT_POST, whep::SDP))))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/whep/{viewer}")
            .route(web::patch().to(whep::patch))
            .route(web::delete().to(whep::hang_up))
            .route(preflight("PATCH, DELETE, OPTIONS", Some((ACCEPT_PATCH, whep::FRAGMENT))))
            .wrap(from_fn(shared)),
    )
    .service(
        at("/v1/sessions/{id}/audio")
            .route(web::get().to(audio::open))
            .route(preflight("GET, OPTIONS", None))
            .wrap(from_fn(shared)),
    );
}

fn at(path: &str) -> Resource {
    web::resource(path)
}

/// For what a browser or a monitor fetches. The method `HEAD` gets the same answer without its body.
fn get_or_head() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn nowhere() -> Result<HttpResponse, Problem> {
    Err(Problem::new(ProblemKind::NotFound, "there is nothing at this address; /docs lists what there is"))
}
