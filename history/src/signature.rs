//! What kind of failure a run shows, so that two runs can be said to fail in the same way.

use crate::{Finding, Level, NO_PANIC, PROGRESS, Reason, RunRecord, Verdict, merged};

impl RunRecord {
    /// Names what happened without saying to whom or when: the check, and of a witness its reason, of a panic its words
    /// without their numbers. Two runs with the same signature are taken for two sights of one defect. `None` for a run
    /// that passed.
    pub fn signature(&self) -> Option<String> {
        (self.verdict != Verdict::Pass).then(|| signed(self.verdict, &self.findings))
    }

    /// The finding that tells most of why the run did not pass: the one that [`Self::signature`] names. `None` for a run that
    /// passed, or in which nothing was checked.
    pub fn principal(&self) -> Option<&Finding> {
        principal(self.verdict, &self.findings).filter(|_| self.verdict != Verdict::Pass)
    }
}

/// The same of findings without a record. `None` if they make a run pass.
pub fn signature(findings: &[Finding]) -> Option<String> {
    let verdict = merged(findings);
    (verdict != Verdict::Pass).then(|| signed(verdict, findings))
}

/// The signature of the principal finding.
fn signed(verdict: Verdict, findings: &[Finding]) -> String {
    principal(verdict, findings).map_or_else(|| verdict.to_string(), told)
}

/// The principal finding among those that make the verdict.
///
/// A broken law or a panic stops the run, and so comes before everything that was then left unfinished; a violation that
/// has a witness comes before one that is a measure.
pub fn principal(verdict: Verdict, findings: &[Finding]) -> Option<&Finding> {
    let guilty = findings.iter().filter(|finding| finding.counts() && finding.verdict == verdict);
    guilty.min_by_key(|finding| rank(finding))
}

/// Less comes first. Progress is demanded of every run and says least of what is wrong.
fn rank(finding: &Finding) -> u8 {
    match (&finding.witness, finding.level) {
        (None, Level::Always | Level::Shows) if finding.check != PROGRESS => 0,
        (Some(_), _) => 1,
        (None, Level::Must | Level::Reach | Level::Should | Level::Shows) => 2,
        (None, Level::Always) => 3,
    }
}

fn told(finding: &Finding) -> String {
    let check = &finding.check;
    match (finding.verdict, &finding.witness) {
        (Verdict::Fail, Some(witness)) => format!("{check}: {}", witness.reason.kind()),
        (Verdict::Fail, None) if check == NO_PANIC => format!("{check}: {}", without_numbers(&finding.detail)),
        (Verdict::Fail, None) => check.clone(),
        (Verdict::Pass | Verdict::Unknown | Verdict::Vacuous, _) => format!("{check}: {}", finding.verdict),
    }
}

impl Reason {
    /// What kind of contradiction this is, in the words of `run.json`.
    pub fn kind(&self) -> &str {
        match self {
            Reason::NobodyWrote { .. } => "nobody-wrote",
            Reason::NotYetWritten { .. } => "not-yet-written",
            Reason::NeverHappened { .. } => "never-happened",
            Reason::Replaced { .. } => "replaced",
            Reason::MetTwice { .. } => "met-twice",
            Reason::Lacks { .. } => "lacks",
            Reason::OnlyMet { .. } => "only-met",
            Reason::Entangled => "entangled",
            Reason::Lost { .. } => "lost",
            Reason::Told { why, .. } => why,
            Reason::Undivided { .. } => "undivided",
        }
    }
}

/// Every run of digits is one `#`.
fn without_numbers(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        match (c.is_ascii_digit(), folded.ends_with('#')) {
            (true, true) => {}
            (true, false) => folded.push('#'),
            (false, _) => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Value, Witness};

    fn finding(check: &str, verdict: Verdict, level: Level) -> Finding {
        let (check, detail) = (check.to_owned(), String::new());
        Finding { check, verdict, detail, level, promise: None, witness: None, measured: None }
    }

    /// The signature that a run with these findings has.
    fn of(findings: &[Finding]) -> Option<String> {
        signature(findings)
    }

    #[test]
    fn a_witness_is_told_by_its_reason_and_a_law_comes_before_it() {
        let reason = Reason::Lost { write: 0, lost: 3 };
        let witness = Some(Witness::new(Some(Value::Int(1)), Vec::new(), None, reason));
        let lost = Finding { witness, ..finding("no lost writes", Verdict::Fail, Level::Must) };
        let slow = finding("recovery <= 2s", Verdict::Fail, Level::Must);
        let stuck = finding(PROGRESS, Verdict::Fail, Level::Always);
        let law = finding("election safety", Verdict::Fail, Level::Always);
        let expected = |findings: &[&Finding]| of(&findings.iter().copied().cloned().collect::<Vec<_>>());
        assert_eq!(expected(&[&stuck, &slow, &lost]).as_deref(), Some("no lost writes: lost"));
        assert_eq!(expected(&[&lost, &law]).as_deref(), Some("election safety"));
        assert_eq!(expected(&[&stuck, &slow]).as_deref(), Some("recovery <= 2s"));
        assert_eq!(expected(&[&stuck]).as_deref(), Some("progress after settle"));
    }

    #[test]
    fn panics_differ_by_their_words_and_not_by_their_numbers() {
        let panic = |detail: &str| {
            of(&[Finding { detail: detail.to_owned(), ..finding(NO_PANIC, Verdict::Fail, Level::Always) }])
        };
        assert_eq!(panic("n3 panicked: index 17 of 4"), panic("n1 panicked: index 2 of 401"));
        assert_ne!(panic("n3 panicked: index 17 of 4"), panic("n3 panicked: 17 of 4"));
    }

    #[test]
    fn what_passed_has_none_and_what_was_not_decided_says_so() {
        assert_eq!(of(&[finding("linearizable", Verdict::Pass, Level::Must)]), None);
        let unknown = finding("linearizable", Verdict::Unknown, Level::Must);
        assert_eq!(of(&[unknown]).as_deref(), Some("linearizable: UNKNOWN"));
    }

    #[test]
    fn kinds_are_those_of_the_record() {
        for reason in [Reason::Entangled, Reason::Undivided { until: 3 }, Reason::Lost { write: 0, lost: 1 }] {
            let json = serde_json::to_value(&reason).expect("plain data");
            assert_eq!(json["kind"], reason.kind());
        }
    }
}
