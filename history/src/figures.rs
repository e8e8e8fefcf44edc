//! Numbers as people read them: the same in every message, report and table.

const UNITS: [(&str, u64); 4] = [("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000), ("ns", 1)];

/// 2871 as `2 871`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 operation`, `2 871 operations`: a plain plural, with the thousands parted.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A share between 0 and 1 as `97.69 %`; rounded down, so that only everything is 100 %.
pub fn percent(share: f64) -> String {
    let hundredths = (share * 10_000.0).floor() as u64;
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

/// How often something happens, to about three figures: `0.34`, `11.9`, `2 871`.
pub fn rate(often: f64) -> String {
    let often = often.max(0.0);
    match often {
        rare if rare < 9.995 => format!("{rare:.2}"),
        some if some < 99.95 => format!("{some:.1}"),
        many => grouped(many.round() as u64),
    }
}

/// Nanoseconds in the largest unit that is not above them, to a thousandth of it: `1.04s`, `412ms`.
pub fn duration(nanos: u64) -> String {
    let Some((unit, scale)) = UNITS.iter().find(|(_, scale)| nanos >= *scale) else { return "0s".to_owned() };
    let thousandths = u128::from(nanos) * 1000 / u128::from(*scale);
    let (whole, fraction) = (thousandths / 1000, thousandths % 1000);
    if fraction == 0 {
        return format!("{whole}{unit}");
    }
    let digits = format!("{fraction:03}");
    format!("{whole}.{}{unit}", digits.trim_end_matches('0'))
}

/// The same to three figures, for what was measured: 1 043 512 345 ns is `1.04s`.
pub fn measured(nanos: u64) -> String {
    let digits = nanos.checked_ilog10().unwrap_or(0);
    let unit = 10u64.pow(digits.saturating_sub(2));
    duration(nanos.saturating_add(unit / 2) / unit * unit)
}

/// A value, or whatever else may be long, as a sentence shows it: a long text loses its middle, since what differs is
/// mostly at an end.
pub fn shown(value: &impl std::fmt::Display) -> String {
    const END_MAX: usize = 30;
    let text = value.to_string();
    let (head, tail) = (text.char_indices().nth(END_MAX), text.char_indices().nth_back(END_MAX - 1));
    match (head, tail) {
        (Some((head, _)), Some((tail, _))) if head < tail => format!("{}…{}", &text[..head], &text[tail..]),
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([grouped(999), grouped(2871), grouped(1_234_567)], ["999", "2 871", "1 234 567"]);
        assert_eq!([counted(1, "key"), counted(50, "key")], ["1 key", "50 keys"]);
        assert_eq!([percent(0.999_99), percent(1.0), percent(0.9769)], ["99.99 %", "100.00 %", "97.69 %"]);
    }

    #[test]
    fn rates_have_three_figures() {
        let told = [0.0, 0.344, 9.999, 11.94, 99.96, 2871.4, f64::NAN, -1.0].map(rate);
        assert_eq!(told, ["0.00", "0.34", "10.0", "11.9", "100", "2 871", "0.00", "0.00"]);
    }

    #[test]
    fn durations_print_short() {
        for (nanos, text) in
            [(0, "0s"), (1_040_000_000, "1.04s"), (412_000_000, "412ms"), (250_000, "250us"), (7, "7ns")]
        {
            assert_eq!(duration(nanos), text);
        }
        assert_eq!([measured(1_043_512_345), measured(7)], ["1.04s", "7ns"]);
    }

    #[test]
    fn long_values_lose_their_middle() {
        let long = format!("{}{}", "é".repeat(30), "x".repeat(30));
        assert_eq!(shown(&long), long);
        assert_eq!(shown(&format!("{long}y")), format!("{}…{}y", "é".repeat(30), "x".repeat(29)));
    }
}
