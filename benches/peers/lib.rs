//! Other SCIM filter implementations beside ours: `cargo bench` here, after `npm ci --prefix npm`.
