//! What a graph is: a hash of its file and of the weights beside it.

use crate::error::GraphError;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Bytes that are read at a time.
const BLOCK: usize = 1 << 20;

/// SHA-256 of graph `name` in `folder`: of its file, and of the one with its weights where there is one. `remedy`: how one gets it.
///
/// # Errors
/// [`GraphError::Missing`] and [`GraphError::Unreadable`].
pub fn content_hash(folder: &Path, name: &'static str, remedy: &'static str) -> Result<[u8; 32], GraphError> {
    let path = folder.join(format!("{name}.onnx"));
    if !path.is_file() {
        return Err(GraphError::Missing { graph: name, path: path.into(), remedy });
    }
    let mut hash = Sha256::new();
    for file in [path, folder.join(format!("{name}.onnx.data"))] {
        if file.is_file() {
            let failed = |source| GraphError::Unreadable { graph: name, path: file.clone().into(), source };
            read_into(&mut hash, &file).map_err(failed)?;
        }
    }
    Ok(hash.finalize().into())
}

fn read_into(hash: &mut Sha256, file: &Path) -> io::Result<()> {
    let (mut file, mut block) = (File::open(file)?, vec![0; BLOCK]);
    loop {
        match file.read(&mut block)? {
            0 => return Ok(()),
            count => hash.update(&block[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_graph_is_another_one_when_its_weights_are() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            content_hash(folder.path(), "unet", "make it"),
            Err(GraphError::Missing { graph: "unet", .. })
        ));
        let hash = || content_hash(folder.path(), "unet", "make it").unwrap();
        fs::write(folder.path().join("unet.onnx"), b"graph").unwrap();
        let alone = hash();
        fs::write(folder.path().join("unet.onnx.data"), b"weights").unwrap();
        let whole = hash();
        fs::write(folder.path().join("unet.onnx.data"), b"Weights").unwrap();
        assert!(alone != whole && whole != hash());
        assert_eq!(hash(), hash());
    }
}
