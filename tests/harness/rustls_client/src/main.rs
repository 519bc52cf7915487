// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// rustls_client HOST,PATH,MODE,MODEL,INPUT,OUTPUT...: calls the stand-in service as tests/harness/client.js does, on
// rustls over ring, each connection in a thread of its own. RUSTLS_12 in the environment asks for TLS 1.2 at most.
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
struct Call {
    count: usize,
    host: String,
    path: String,
    stream: bool,
    model: String,
    input: String,
    output: String,
}

fn parse(word: &str) -> Option<Call> {
    let parts: Vec<&str> = word.split(',').collect();
    let [host, path, mode, model, input, output]: [&str; 6] = parts.try_into().ok()?;
    let (count, host) = match host.split_once('x') {
        Some((n, rest)) if n.parse::<usize>().is_ok() => (n.parse().ok()?, rest),
        _ => (1, host),
    };
    let text = |s: &str| s.to_string();
    Some(Call {
        count,
        host: text(host),
        path: text(path),
        stream: mode == "stream",
        model: text(model),
        input: text(input),
        output: text(output),
    })
}

fn config() -> Result<Arc<rustls::ClientConfig>, Failure> {
    let mut roots = rustls::RootCertStore::empty();
    let file = std::fs::File::open(std::env::var("SSL_CERT_FILE")?)?;
    roots.add_parsable_certificates(&rustls_pemfile::certs(&mut BufReader::new(file))?);
    let old = std::env::var("RUSTLS_12").is_ok();
    let versions = if old { vec![&rustls::version::TLS12] } else { rustls::ALL_VERSIONS.to_vec() };
    let config = rustls::ClientConfig::builder()
        .with_safe_default_cipher_suites()
        .with_safe_default_kx_groups()
        .with_protocol_versions(&versions)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn body(call: &Call, model: &str) -> String {
    let options = if call.stream { ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" } else { "" };
    format!(
        "{{\"model\":\"{model}\",\"max_tokens\":64,\"messages\":[{{\"role\":\"user\",\
         \"content\":\"What casts the shadow?\"}}]{options}}}"
    )
}

// Reads one response; returns its status.
fn read_response(from: &mut impl BufRead) -> Result<u32, Failure> {
    let (mut status, mut length, mut chunked) = (0, 0, false);
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        } else if status == 0 {
            status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
        } else if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse()?;
        } else if line.starts_with("transfer-encoding:") {
            chunked = line.ends_with("chunked");
        }
    }
    while chunked {
        let mut line = String::new();
        from.read_line(&mut line)?;
        let size = usize::from_str_radix(line.trim(), 16)?;
        std::io::copy(&mut from.take(size as u64 + 2), &mut std::io::sink())?;
        chunked = size > 0;
    }
    std::io::copy(&mut from.take(length), &mut std::io::sink())?;
    Ok(status)
}

fn connection(call: &Call, number: usize, config: Arc<rustls::ClientConfig>) -> Result<(), Failure> {
    let socket = TcpStream::connect((call.host.as_str(), 443))?;
    let port = socket.local_addr()?.port();
    let tls = rustls::ClientConnection::new(config, call.host.as_str().try_into()?)?;
    let mut stream = BufReader::new(rustls::StreamOwned::new(tls, socket));
    for i in 0..if call.count > 1 { 3 } else { 1 } {
        let model = if call.count > 1 { format!("{}-{number}-{i}", call.model) } else { call.model.clone() };
        let data = body(call, &model);
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Authorization: Bearer sk-test-0000\r\nx-fake-input: {}\r\nx-fake-output: {}\r\n\r\n",
            call.path,
            call.host,
            data.len(),
            call.input,
            call.output
        );
        stream.get_mut().write_all(head.as_bytes())?;
        stream.get_mut().write_all(data.as_bytes())?;
        let status = read_response(&mut stream)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
        println!("{model} {status} {now:.3} {port} {}", std::process::id());
    }
    Ok(())
}

fn main() -> Result<(), Failure> {
    let config = config()?;
    for word in std::env::args().skip(1) {
        let call = parse(&word).ok_or("not a call")?;
        let threads: Vec<_> = (0..call.count)
            .map(|i| {
                let (call, config) = (call.clone(), config.clone());
                std::thread::spawn(move || connection(&call, i, config))
            })
            .collect();
        for thread in threads {
            thread.join().map_err(|_| "a thread died")??;
        }
    }
    Ok(())
}
