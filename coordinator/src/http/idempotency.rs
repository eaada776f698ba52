//! The caller's token for a request: the header `Idempotency-Key`.

use super::problem::Problem;
use actix_web::HttpRequest;

/// The header with the caller's token.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// The caller's token of a request.
///
/// # Errors
/// 422 when it is not 1 to 255 visible ASCII characters.
pub fn token(req: &HttpRequest) -> Result<Option<String>, Problem> {
    let Some(header) = req.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let text = header.to_str().ok().filter(|t| (1..=255).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()));
    text.map(|t| Some(t.to_owned()))
        .ok_or_else(|| Problem::invalid("Idempotency-Key", "Idempotency-Key must be 1 to 255 visible ASCII characters"))
}
