//! Whom a fault struck, in few words.

use history::figures::counted;

/// More clients than this are counted.
const CLIENTS_NAMED: usize = 2;

/// What a fault's record says of whom it struck, with `all nodes` for all of them and clients counted where they are many:
/// `n1 | n2 n3, 5 clients`.
pub(crate) fn brief(who: &str, nodes: u32) -> String {
    let mut told = Vec::new();
    let mut group = Vec::new();
    for word in who.split_whitespace() {
        if word == "-" || word.ends_with(['|', '>', ':']) {
            told.extend(members(&group, nodes));
            told.push(word.to_owned());
            group.clear();
        } else {
            group.push(word);
        }
    }
    told.extend(members(&group, nodes));
    match &told[..] {
        // Among each other.
        [here, sign, there] if sign == "<->" && here == there => here.clone(),
        _ends => told.join(" "),
    }
}

/// Those between two signs; `None` if there are none.
fn members(group: &[&str], nodes: u32) -> Option<String> {
    let is_client = |word: &&str| word.strip_prefix('c').is_some_and(|number| number.parse::<u32>().is_ok());
    let (clients, others): (Vec<&str>, Vec<&str>) = group.iter().copied().partition(is_client);
    let are_numbered = || others.iter().zip(1u32..).all(|(name, number)| *name == format!("n{number}"));
    let are_all = nodes > 2 && others.len() == nodes as usize && are_numbered();
    let others = if are_all { "all nodes".to_owned() } else { others.join(" ") };
    let clients = match clients.len() {
        many if many > CLIENTS_NAMED => counted(many as u64, "client"),
        _few => clients.join(" "),
    };
    let told: Vec<String> = [others, clients].into_iter().filter(|told| !told.is_empty()).collect();
    (!told.is_empty()).then(|| told.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_are_told_in_few_words() {
        for (who, told) in [
            ("n1 | n2 n3", "n1 | n2 n3"),
            ("n5 c3 c6 c9 | n1 n2 c1", "n5, 3 clients | n1 n2, c1"),
            ("n1 n2 n3 n4 n5 <-> n1 n2 n3 n4 n5", "all nodes"),
            ("n1 n2 <-> n3 n4", "n1 n2 <-> n3 n4"),
            ("n1 n2 n3 n4 n5 -> c1", "all nodes -> c1"),
            ("n7: transfer n1", "n7: transfer n1"),
            ("n1 n3 - n5 - n4 n2", "n1 n3 - n5 - n4 n2"),
            ("us-east -> us-west", "us-east -> us-west"),
            ("c1 c2 c3 c4", "4 clients"),
            ("never struck", "never struck"),
            ("", ""),
        ] {
            assert_eq!(brief(who, 5), told);
        }
        assert_eq!(brief("n1", 1), "n1");
    }
}
