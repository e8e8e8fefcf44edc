//! What is wrong with disks, in the words of a plan, and what promises depend on.

use history::figures::counted;
use sim_core::delay::Delay;
use sim_core::dice::Ratio;
use sim_core::harm::{DiskHarm, Failure, Refusal};
use sim_core::promise::Premise;
use sim_core::time::format_duration;

/// What a fault does to disks, as a plan says it.
pub(crate) fn describe(harm: &DiskHarm) -> String {
    let DiskHarm { latency, stall, refusal, error, lie, lose, misdirect, rot } = harm;
    let slower = |delay: &Delay| format!("flushes +{} (median)", format_duration(delay.median()));
    let of_all = |share: &Ratio, what: &str| {
        (*share != Ratio::ZERO).then(|| format!("{}/{} of {what}", share.numerator, share.denominator))
    };
    let refuses = |refusal: &Refusal| match refusal {
        Refusal::Full => "full".to_owned(),
        Refusal::ReadOnly => "read-only".to_owned(),
    };
    let fails = |Failure { of, share }: &Failure| match share {
        Some(share) => format!("EIO for {}/{} of {}", share.numerator, share.denominator, of.plural()),
        None => format!("EIO for the next {of}"),
    };
    let harms = [
        latency.as_ref().map(slower),
        stall.then(|| "no flush ends".to_owned()),
        refusal.as_ref().map(refuses),
        error.as_ref().map(fails),
        of_all(lie, "flushes lie"),
        of_all(lose, "records get lost"),
        of_all(misdirect, "records are written over others"),
        (*rot > 0).then(|| format!("{} rot", counted((*rot).into(), "record"))),
    ];
    harms.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What promises depend on of a disk that is harmed like this. That one is slow, or stands still, is nothing that anybody
/// promises to do without.
pub(crate) fn worsen<D>(premise: &mut Premise, harm: &DiskHarm<D>) {
    premise.flushes_lie |= harm.lie != Ratio::ZERO;
    premise.records_rot |= harm.rot > 0 || harm.lose != Ratio::ZERO || harm.misdirect != Ratio::ZERO;
    premise.disk_errors |= harm.refusal.is_some() || harm.error.is_some();
}
