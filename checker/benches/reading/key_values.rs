//! Writes a simulated history of key-value pairs with append: clients call, each call takes effect
//! at a hidden moment, and returns.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const CLIENTS: usize = 10;
const KEYS: usize = 100;

/// Where a client is in its call.
enum Call {
    None,
    Open { f: &'static str, key: usize, value: String },
    Done { f: &'static str, key: usize, value: String },
}

/// Writes the file: 40 % get, 40 % append and 20 % put, so that strings stay short.
pub fn write(path: &Path, operations: usize) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(
        out,
        "{{\"splitbrain\":1,\"run\":\"bench\",\"vocabulary\":\"kv-append\",\"nodes\":[]}}"
    )?;
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut store = vec![String::new(); KEYS];
    let mut clients: Vec<Call> = (0..CLIENTS).map(|_| Call::None).collect();
    let (mut begun, mut ended, mut index) = (0, 0, 0);
    while ended < operations {
        let process = rng.random_range(0..CLIENTS);
        let mut line = |kind: &str, f: &str, key: usize, value: &str| {
            index += 1;
            let value = if (kind, f) == ("invoke", "get") {
                "null".to_owned()
            } else {
                format!("{value:?}")
            };
            writeln!(
                out,
                "{{\"index\":{},\"time\":{},\"type\":\"{kind}\",\"process\":{process},\"f\":\"{f}\",\
                 \"key\":\"k{key}\",\"value\":{value}}}",
                index - 1,
                index * 1000
            )
        };
        clients[process] = match std::mem::replace(&mut clients[process], Call::None) {
            Call::None if begun == operations => Call::None,
            Call::None => {
                begun += 1;
                let f = ["get", "get", "append", "append", "put"][rng.random_range(0..5)];
                let (key, value) = (rng.random_range(0..KEYS), format!("{begun} "));
                line("invoke", f, key, &value)?;
                Call::Open { f, key, value }
            }
            Call::Open { f, key, mut value } => {
                match f {
                    "get" => value.clone_from(&store[key]),
                    "append" => store[key] += &value,
                    _ => store[key].clone_from(&value),
                }
                Call::Done { f, key, value }
            }
            Call::Done { f, key, value } => {
                ended += 1;
                line("ok", f, key, &value)?;
                Call::None
            }
        };
    }
    out.flush()
}
