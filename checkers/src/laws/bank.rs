//! A bank: transfers move money between accounts, so that whatever a read of all balances shows, its total is always
//! the same.
//!
//! A read that met half a transfer shows another total; one that met a lost or repeated update does from then on. No
//! account may be overdrawn, and every read shows the same accounts. Which transfers came first is not asked: that is
//! what makes this law cheap, and blind to a transfer that is lost as a whole.

use history::{History, Outcome, Value, Verdict};

use crate::evidence::{Violation, judgement, returned};
use crate::{Judgement, Question, Unfit};
use history::figures::{counted, shown};

/// What every read must show.
struct Books<'a> {
    /// The accounts, sorted; `None` if nobody has shown them.
    accounts: Option<Vec<&'a Value>>,
    total: i128,
    /// The read that they are taken from.
    source: Option<usize>,
}

/// A read of all balances, by account.
type Balances<'a> = Vec<(&'a Value, &'a Value)>;

/// Judges whether every read shows the same accounts with the same total, and none of them overdrawn.
///
/// Total and accounts are those of `question.initial` (`[[account, balance], …]`, or the total alone), else those of
/// the first read. VACUOUS if nothing was read.
///
/// # Errors
/// If an operation is neither `transfer` nor `read`, or a read does not return `[[account, balance], …]`.
pub(crate) fn bank(history: &History, question: &Question<'_>) -> Result<Judgement, Unfit> {
    let mut books = question.initial.as_ref().map(Books::opened).transpose()?;
    let (mut reads, mut wrong, mut first_wrong) = (0, 0, None);
    for (number, operation) in history.operations.iter().enumerate() {
        match &*operation.f {
            "read" => {}
            "transfer" => continue,
            _ => return Err(Unfit::operation(operation, "a bank knows `transfer` and `read`")),
        }
        let Some(value) = returned(operation)? else { continue };
        reads += 1;
        if books.as_ref().is_some_and(|books| books.agree_with(value)) {
            continue;
        }
        let balances = balances(value).map_err(|message| Unfit::operation(operation, message))?;
        let violation = match &books {
            Some(books) => books.wrong_with(number, &balances),
            None => None,
        };
        let violation = violation.or_else(|| unsound(number, &balances));
        if let Some(violation) = violation {
            wrong += 1;
            first_wrong.get_or_insert(violation);
        } else if books.is_none() {
            books = Some(Books::shown(number, &balances));
        }
    }
    let notes = match &books {
        Some(Books { source: Some(source), total, .. }) => {
            let process = history.operations[*source].process;
            vec![format!(
                "the total is {total}, as p{process} read it first; an initial value would say what it must be"
            )]
        }
        Some(Books { source: None, .. }) | None => Vec::new(),
    };
    let transfers = history.operations.iter().filter(|operation| operation.f == "transfer");
    let done = transfers.filter(|transfer| matches!(transfer.outcome, Outcome::Returned(_))).count() as u64;
    let count = format!("{} of all balances, {}", counted(reads, "read"), counted(done, "transfer"));
    let judgement = match first_wrong {
        Some(violation) => {
            let detail = format!("{}; {wrong} of {} wrong", violation.headline, counted(reads, "read"));
            judgement(history, Verdict::Fail, detail, Some(violation.witness(history, "the accounts")))
        }
        None if reads == 0 => judgement(history, Verdict::Vacuous, format!("{count}: nothing was seen"), None),
        None => judgement(history, Verdict::Pass, count, None),
    };
    Ok(Judgement { methods: vec!["every read totalled".to_owned()], notes, ..judgement })
}

impl<'a> Books<'a> {
    fn opened(initial: &'a Value) -> Result<Books<'a>, Unfit> {
        if let Value::Int(total) = initial {
            return Ok(Books { accounts: None, total: i128::from(*total), source: None });
        }
        let balances =
            balances(initial).ok().filter(|balances| balances.iter().all(|(_, held)| amount(held).is_some()));
        let balances = balances.ok_or_else(|| {
            let initial = shown(initial);
            Unfit::Question(format!("a bank starts with a total or with [[account, balance], …], not with {initial}"))
        })?;
        Ok(Books { source: None, ..Books::shown(0, &balances) })
    }

    fn shown(number: usize, balances: &Balances<'a>) -> Books<'a> {
        Books { accounts: Some(accounts(balances)), total: total(balances), source: Some(number) }
    }

    /// Whether nothing is wrong with a read that shows the accounts in order: most do.
    fn agree_with(&self, value: &Value) -> bool {
        let (Value::List(pairs), Some(accounts)) = (value, &self.accounts) else { return false };
        let held = pairs.iter().zip(accounts).map(|(pair, account)| {
            let (shown, balance) = pair.as_pair()?;
            amount(balance).filter(|amount| shown == *account && *amount >= 0)
        });
        let total = held.map(|amount| amount.map(i128::from)).sum::<Option<i128>>();
        pairs.len() == accounts.len() && total == Some(self.total)
    }

    fn wrong_with(&self, number: usize, balances: &Balances<'_>) -> Option<Violation> {
        let read_first = |what: &str| match self.source {
            Some(_) => format!("(1) showed {what}"),
            None => format!("The bank began with {what}"),
        };
        let against = |why, headline, because| Violation {
            why,
            headline,
            because: vec![because],
            operations: self.source.into_iter().chain([number]).collect(),
            offender: Some(number),
        };
        if let Some(known) = &self.accounts {
            let accounts = accounts(balances);
            let differs = |ours: &[&Value], theirs: &[&Value]| {
                ours.iter().find(|account| theirs.binary_search(account).is_err()).map(shown)
            };
            if let Some(missing) = differs(known, &accounts) {
                let headline = format!("a read of all balances lacks account {missing}");
                let because = format!("{}, and accounts do not close.", read_first(&format!("account {missing}")));
                return Some(against("missing account", headline, because));
            }
            if let Some(strange) = differs(&accounts, known) {
                let headline = format!("a read of all balances shows account {strange}, which there is not");
                let because = read_first("all accounts there are, and this one is not among them.");
                return Some(against("unknown account", headline, because));
            }
        }
        let total = total(balances);
        if total == self.total || balances.iter().any(|(_, held)| amount(held).is_none()) {
            return None;
        }
        let headline = format!("balances add up to {total}, not to {}", self.total);
        let because =
            format!("{}, and transfers leave that as it is.", read_first(&format!("a total of {}", self.total)));
        Some(against("wrong total", headline, because))
    }
}

/// What is wrong with a read whatever the total.
fn unsound(number: usize, balances: &Balances<'_>) -> Option<Violation> {
    let alone = |why, headline, because: &str| {
        let because = vec![because.to_owned()];
        Some(Violation { why, headline, because, operations: vec![number], offender: Some(number) })
    };
    let sorted = accounts(balances);
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        let headline = format!("a read of all balances shows account {} twice", shown(pair[0]));
        return alone("account twice", headline, "An account has one balance.");
    }
    let (account, held) = balances.iter().find(|(_, held)| amount(held).is_none_or(|amount| amount < 0))?;
    let account = shown(account);
    match amount(held) {
        Some(amount) => {
            let headline = format!("account {account} is overdrawn: {amount}");
            alone("overdrawn", headline, "A transfer that would overdraw an account does not happen.")
        }
        None => alone("no balance", format!("account {account} has no balance: {held}"), "Every account has one."),
    }
}

fn balances(value: &Value) -> Result<Balances<'_>, String> {
    let pairs = match value {
        Value::List(items) => items.iter().map(Value::as_pair).collect::<Option<Vec<_>>>(),
        Value::Nil | Value::Int(_) | Value::Text(_) => None,
    };
    pairs.ok_or_else(|| format!("it returned {}, and should have returned [[account, balance], …]", shown(value)))
}

fn accounts<'a>(balances: &Balances<'a>) -> Vec<&'a Value> {
    let mut accounts: Vec<&Value> = balances.iter().map(|(account, _)| *account).collect();
    accounts.sort_unstable();
    accounts
}

fn total(balances: &Balances<'_>) -> i128 {
    balances.iter().filter_map(|(_, held)| amount(held)).map(i128::from).sum()
}

fn amount(balance: &Value) -> Option<i64> {
    match balance {
        Value::Int(amount) => Some(*amount),
        Value::Nil | Value::Text(_) | Value::List(_) => None,
    }
}
