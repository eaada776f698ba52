//! All addresses in one place.

use super::problem::{Kind, Problem};
use super::{Api, avatars, events, health, keys, openapi, pages, renders, reports, sessions, workers};
use actix_web::guard::{Any, Get, Head};
use actix_web::web::{self, Data, ServiceConfig};
use actix_web::{HttpResponse, Resource, Route};

/// Adds every route. `api` is shared by all of them.
pub fn configure(cfg: &mut ServiceConfig, api: Data<Api>) {
    cfg.app_data(api)
        .service(at("/v1/avatars").route(web::post().to(avatars::create)).route(web::get().to(avatars::list)))
        .service(at("/v1/avatars/{id}").route(web::get().to(avatars::read)).route(web::delete().to(avatars::delete)))
        .service(at("/v1/avatars/{id}/preview").route(get_or_head().to(avatars::preview)))
        .service(at("/v1/sessions").route(web::post().to(sessions::create)).route(web::get().to(sessions::list)))
        .service(at("/v1/sessions/{id}").route(web::get().to(sessions::read)).route(web::delete().to(sessions::cancel)))
        .service(at("/v1/sessions/{id}/events").route(web::get().to(events::session)))
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

fn at(path: &str) -> Resource {
    web::resource(path)
}

/// For what a browser or a monitor fetches. The method `HEAD` gets the same answer without its body.
fn get_or_head() -> Route {
    web::route().guard(Any(Get()).or(Head()))
}

async fn nowhere() -> Result<HttpResponse, Problem> {
    Err(Problem::new(Kind::NotFound, "there is nothing at this address; /docs lists what there is"))
}
