//! The colours of every picture and page, by what they mean.
//!
//! Okabe and Ito's colours, which people who see few colours can tell apart; blue, orange and pink mean what they mean in
//! Jepsen's plots. No picture says anything by colour alone. Pictures name a colour by a class, `f-ok` to fill with it and
//! `s-ok` to draw a line, and the style sheet says what that is by day, by night and in print.

/// A colour's meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// Of its classes: `f-NAME`, `s-NAME`.
    pub name: &'static str,
    /// By day and in print.
    pub day: [u8; 3],
    /// By night.
    pub night: [u8; 3],
}

macro_rules! inks {
    ($($(#[$doc:meta])* $ink:ident $name:literal $day:literal $night:literal)*) => {
        impl Ink {
            $($(#[$doc])* pub const $ink: Ink = Ink { name: $name, day: rgb($day), night: rgb($night) };)*
            /// All of them.
            pub const ALL: &'static [Ink] = &[$(Ink::$ink),*];
        }
    };
}

inks! {
    /// What is drawn on.
    PAPER "paper" 0xffffff 0x12161b
    /// A box on the paper.
    PANEL "panel" 0xf6f7f9 0x1b2128
    /// Text.
    TEXT "text" 0x1f2933 0xe6e9ed
    /// Text of less weight.
    MUTED "muted" 0x5b6470 0xa3adb8
    /// Grid lines and borders.
    FAINT "faint" 0xdfe3e8 0x323a44
    /// Served in time.
    OK "ok" 0x0072b2 0x4aa8e0
    /// Nobody knows; took too long.
    UNKNOWN "unknown" 0xe69f00 0xf0b941
    /// Refused, and did not happen.
    FAILED "failed" 0xcc79a7 0xe0a0c4
    /// A fault, and what it struck.
    FAULT "fault" 0xd55e00 0xf08a45
    /// Back again.
    RECOVERY "recovery" 0x009e73 0x3cc49c
    /// Nobody was served.
    OUTAGE "outage" 0x7f2704 0xe0805a
    /// The best that was possible.
    BOUND "bound" 0x1f2933 0xe6e9ed
    /// A demand that was not met; also as text.
    BAD "bad" 0xb3261e 0xff8a80
    /// A demand that was met; also as text.
    GOOD "good" 0x00694d 0x5fd3ae
    /// Neither; also as text.
    DOUBT "doubt" 0x8a5a00 0xf0b941
    /// Pale, beneath text: the first of those that tell nodes apart.
    NODE1 "node1" 0xa8ddca 0x1f5f4c
    /// The second.
    NODE2 "node2" 0xbfe0f3 0x1f4f6e
    /// The third.
    NODE3 "node3" 0xf6dd9f 0x6a4d0c
    /// The fourth.
    NODE4 "node4" 0xecc8dd 0x6b3a57
    /// The fifth.
    NODE5 "node5" 0xd5d0ee 0x453f78
    /// The sixth; then again from the first.
    NODE6 "node6" 0xd9dde2 0x46505c
    /// Lines that tell places or functions apart: the first.
    LINE1 "line1" 0x0072b2 0x4aa8e0
    /// The second.
    LINE2 "line2" 0x00805e 0x3cc49c
    /// The third.
    LINE3 "line3" 0x9c4a7c 0xe0a0c4
    /// The fourth.
    LINE4 "line4" 0x8a5a00 0xf0b941
    /// Cells of which nothing was missed.
    HEAT0 "heat0" 0xeaf1f6 0x1d2a35
    /// Little was missed, then more and more.
    HEAT1 "heat1" 0xfddcb5 0x4a2c1a
    /// Up to a quarter.
    HEAT2 "heat2" 0xf7ab63 0x7a3f1c
    /// Up to half.
    HEAT3 "heat3" 0xe2731f 0xa9521f
    /// Up to three quarters.
    HEAT4 "heat4" 0xb04607 0xd97a45
    /// More than that.
    HEAT5 "heat5" 0x7f2704 0xf3b08f
    /// Least: the first step of cividis, which is even to all eyes, by night too.
    STEP0 "step0" 0x00204d 0x00204d
    /// The second.
    STEP1 "step1" 0x31446b 0x31446b
    /// The third.
    STEP2 "step2" 0x5b5f6f 0x5b5f6f
    /// The fourth.
    STEP3 "step3" 0x958f78 0x958f78
    /// The fifth.
    STEP4 "step4" 0xcbba69 0xcbba69
    /// Most.
    STEP5 "step5" 0xffea46 0xffea46
    /// Text over the dark steps.
    ON_DARK "ondark" 0xffffff 0xffffff
    /// Text over the light ones.
    ON_LIGHT "onlight" 0x10161d 0x10161d
}

/// The colours that tell nodes apart.
pub const NODES: [Ink; 6] = [Ink::NODE1, Ink::NODE2, Ink::NODE3, Ink::NODE4, Ink::NODE5, Ink::NODE6];

/// The colours that tell lines apart.
pub const LINES: [Ink; 4] = [Ink::LINE1, Ink::LINE2, Ink::LINE3, Ink::LINE4];

/// From least to most, each with the ink of text over it.
pub const STEPS: [(Ink, Ink); 6] = [
    (Ink::STEP0, Ink::ON_DARK),
    (Ink::STEP1, Ink::ON_DARK),
    (Ink::STEP2, Ink::ON_DARK),
    (Ink::STEP3, Ink::ON_LIGHT),
    (Ink::STEP4, Ink::ON_LIGHT),
    (Ink::STEP5, Ink::ON_LIGHT),
];

const fn rgb(hex: u32) -> [u8; 3] {
    [(hex >> 16) as u8, (hex >> 8) as u8, hex as u8]
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The style sheet's part on colours: what each is, and the classes that use it.
pub fn css() -> String {
    let variables = |of: fn(&Ink) -> [u8; 3]| -> String {
        Ink::ALL.iter().map(|ink| format!("--{}:{};", ink.name, hex(of(ink)))).collect()
    };
    let (day, night) = (variables(|ink| ink.day), variables(|ink| ink.night));
    let classes: String = Ink::ALL
        .iter()
        .map(|Ink { name, .. }| format!(".f-{name}{{fill:var(--{name})}}.s-{name}{{stroke:var(--{name})}}"))
        .collect();
    // Only screens are dark: paper is white.
    format!(
        ":root{{color-scheme:light dark;{day}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{night}}}}}\n{classes}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Relative luminance, WCAG 2.2.
    fn luminance(colour: [u8; 3]) -> f64 {
        let linear = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { libm::pow((c + 0.055) / 1.055, 2.4) }
        };
        let [r, g, b] = colour.map(linear);
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(a: [u8; 3], b: [u8; 3]) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn text_can_be_read_by_day_and_by_night() {
        let over = [Ink::PAPER, Ink::PANEL];
        for ink in [Ink::TEXT, Ink::MUTED, Ink::BAD, Ink::GOOD, Ink::DOUBT] {
            for paper in over {
                let (day, night) = (contrast(ink.day, paper.day), contrast(ink.night, paper.night));
                assert!(day >= 4.5 && night >= 4.5, "{} over {}: {day:.1}, {night:.1}", ink.name, paper.name);
            }
        }
        for pale in NODES {
            let (day, night) = (contrast(Ink::TEXT.day, pale.day), contrast(Ink::TEXT.night, pale.night));
            assert!(day >= 4.5 && night >= 4.5, "text over {}: {day:.1}, {night:.1}", pale.name);
        }
        for (step, text) in STEPS {
            assert!(contrast(text.day, step.day) >= 4.5 && step.day == step.night, "text over {}", step.name);
        }
        for line in LINES.into_iter().chain([Ink::OK, Ink::BOUND, Ink::OUTAGE, Ink::FAULT]) {
            let (day, night) = (contrast(line.day, Ink::PAPER.day), contrast(line.night, Ink::PAPER.night));
            assert!(day >= 3.0 && night >= 3.0, "{}: {day:.1}, {night:.1}", line.name);
        }
    }

    #[test]
    fn every_colour_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = Ink::ALL.iter().map(|ink| ink.name).collect();
        assert_eq!(names.len(), Ink::ALL.len());
        assert!(css().contains("--ok:#0072b2;") && css().contains(".s-outage{stroke:var(--outage)}"));
    }
}
