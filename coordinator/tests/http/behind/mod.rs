//! Behind real proxies: a stranger gets nothing, and what docs/behind-a-proxy.md shows serves everything.

mod forwarder;
mod proxy;
mod served;
mod strangers;
