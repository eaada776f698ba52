//! The pages that the types of problems lead to.

use super::guarded;
use crate::http::problem::{Problem, ProblemKind};
use actix_web::HttpResponse;
use actix_web::web::Path;

/// Explains a kind of problem.
pub async fn problem(slug: Path<String>) -> Result<HttpResponse, Problem> {
    let kind = ProblemKind::from_slug(&slug).ok_or_else(|| Problem::not_found("such kind of problem"))?;
    // Nothing here comes from the request.
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} - Mouthpiece</title></head>\n\
         <body>\n<h1>{title}</h1>\n<p>Type <code>/problems/{slug}</code>, HTTP status {status}.</p>\n<p>{remedy}</p>\n\
         <p>All addresses and their answers: <a href=\"../docs/\">/docs</a>.</p>\n</body>\n</html>\n",
        title = kind.title(),
        slug = kind.slug(),
        status = kind.status().as_u16(),
        remedy = kind.remedy(),
    );
    Ok(guarded(&mut HttpResponse::Ok()).content_type("text/html; charset=utf-8").body(page))
}
