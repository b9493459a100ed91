//! Scans the raw bytes of the head of a request: where it ends, and whether its lines end with CRLF.
//!
//! The HTTP library accepts a bare LF as the end of a line, a reverse proxy may not. The two could then see different
//! requests in the same bytes (request smuggling), so such a head is refused before the library sees it.

/// Largest head of a request.
pub(super) const MAX_HEAD: usize = 16 << 10;

/// The result of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// The head is not complete yet.
    Incomplete,
    /// The head ends after so many bytes.
    Complete(usize),
    /// There is a CR or LF that is not part of a CRLF.
    BareLineEnd,
    /// The head is longer than [`MAX_HEAD`].
    TooLarge,
}

/// Scans a head that arrives in pieces, and remembers how many bytes it has scanned.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    scanned: usize,
}

impl Scanner {
    /// Scans on. `bytes` begin with the head, so they begin with the bytes of earlier calls.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Scan {
        let limit = bytes.len().min(MAX_HEAD);
        for at in self.scanned..limit {
            let after_cr = at > 0 && bytes[at - 1] == b'\r';
            if after_cr != (bytes[at] == b'\n') {
                return Scan::BareLineEnd;
            }
            if bytes[..=at].ends_with(b"\r\n\r\n") {
                self.scanned = 0;
                return Scan::Complete(at + 1);
            }
        }
        self.scanned = limit;
        if bytes.len() > MAX_HEAD { Scan::TooLarge } else { Scan::Incomplete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(b"GET / HTTP/1.1\r\nhost: a\r\n\r\nrest", Scan::Complete(27))]
    #[case(b"GET / HTTP/1.1\r\nhost: a\r\n", Scan::Incomplete)]
    #[case(b"GET / HTTP/1.1\nhost: a\r\n\r\n", Scan::BareLineEnd)]
    #[case(b"GET / HTTP/1.1\r\nhost: a\n\r\n", Scan::BareLineEnd)]
    #[case(b"GET / HTTP/1.1\r\nhost: a\r\n\n", Scan::BareLineEnd)]
    #[case(b"GET / HTTP/1.1\r\nhost: a\rb: c\r\n\r\n", Scan::BareLineEnd)]
    #[case(b"\nGET / HTTP/1.1\r\n\r\n", Scan::BareLineEnd)]
    #[case(b"", Scan::Incomplete)]
    fn a_head_ends_with_an_empty_line_and_has_no_bare_line_end(#[case] bytes: &[u8], #[case] expected: Scan) {
        assert_eq!(Scanner::default().scan(bytes), expected);
        // The same verdict if the bytes come one by one.
        let mut scanner = Scanner::default();
        let verdicts = (0..=bytes.len()).map(|length| scanner.scan(&bytes[..length]));
        assert_eq!(verdicts.into_iter().find(|scan| *scan != Scan::Incomplete).unwrap_or(Scan::Incomplete), expected);
    }

    #[test]
    fn a_head_has_at_most_16_kib() {
        let head = |length: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(length - 23)).into_bytes();
        assert_eq!(Scanner::default().scan(&head(MAX_HEAD)), Scan::Complete(MAX_HEAD));
        assert_eq!(Scanner::default().scan(&head(MAX_HEAD + 1)), Scan::TooLarge);
    }
}
