//! The result of a command on standard output: texts, tables, sizes.

use std::io::{self, ErrorKind, Write as _};

use anyhow::Context as _;

/// Prints a text. It is no error if the reader has closed the pipe, as `| head` does.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("standard output cannot be written"),
        _ => Ok(()),
    }
}

/// A table with a header; every column is as wide as its widest cell, two spaces apart.
pub(super) fn format_table<const N: usize>(header: [&str; N], rows: &[[String; N]]) -> String {
    let mut widths = header.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut line = |cells: [&str; N]| {
        let mut padded = String::new();
        for (width, cell) in widths.iter().zip(cells) {
            padded.push_str(cell);
            padded.extend(std::iter::repeat_n(' ', (width + 2).saturating_sub(cell.chars().count())));
        }
        text.push_str(padded.trim_end());
        text.push('\n');
    };
    line(header);
    for row in rows {
        line(row.each_ref().map(String::as_str));
    }
    text
}

/// A number of bytes for people, such as 1.50 GiB.
pub(super) fn format_bytes(count: i64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let mut whole = u128::from(count.unsigned_abs()) * 100;
    if whole < 102_400 {
        return format!("{count} B");
    }
    let mut unit = "";
    for next in UNITS {
        // Goes to the next unit while the number would show as 1024 or more.
        if whole < 102_400 {
            break;
        }
        (whole, unit) = ((whole + 512) / 1_024, next);
    }
    format!("{}.{:02} {unit}", whole / 100, whole % 100)
}

#[cfg(test)]
mod tests {
    use super::{format_bytes, format_table};
    use rstest::rstest;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_spaces() {
        let text = format_table(
            ["A", "LONG", "C"],
            &[["abc".into(), "x".into(), "y".into()], ["я".into(), String::new(), String::new()]],
        );
        assert_eq!(text, "A    LONG  C\nabc  x     y\nя\n");
    }

    #[rstest]
    #[case(0, "0 B")]
    #[case(1_023, "1023 B")]
    #[case(1_024, "1.00 KiB")]
    #[case(1_610_612_736, "1.50 GiB")]
    #[case(i64::MAX, "8.00 EiB")]
    fn bytes_are_shown_in_the_largest_unit_that_fits(#[case] count: i64, #[case] shown: &str) {
        assert_eq!(format_bytes(count), shown);
    }
}
