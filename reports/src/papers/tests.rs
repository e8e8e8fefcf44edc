use super::*;

fn paper() -> Paper {
    let point = |at, published, check: Option<&str>| Point {
        at,
        label: None,
        published: Some(published),
        check: check.map(str::to_owned),
        file: None,
    };
    let series = |name: &str, file: &str, less| Series {
        name: name.to_owned(),
        file: file.to_owned(),
        less,
        points: vec![point(10.0, 85.0, None), point(50.0, 287.0, Some("takeover(p50)"))],
    };
    Paper {
        title: "How long".to_owned(),
        source: "Somebody".to_owned(),
        note: String::new(),
        at: "share of elections, %".to_owned(),
        of: "time".to_owned(),
        unit: Unit::Milliseconds,
        shape: Shape::Distribution,
        logarithmic: true,
        series: vec![series("narrow", "narrow.toml", 0.0), series("wide <&>", "wide.toml", 100.0)],
    }
}

fn measured(value: u64, from: u64, to: u64) -> Measured {
    Measured { quantity: Quantity::Time, value: value * 1_000_000, from: from * 1_000_000, to: to * 1_000_000 }
}

#[test]
fn ours_is_held_against_the_narrowest_range_and_against_what_was_published() {
    let found = |file: &str, _: &str| match file {
        "narrow.toml" => Found::Measured(vec![measured(300, 200, 400), measured(300, 250, 290)]),
        _ => Found::Measured(vec![measured(387, 350, 400)]),
    };
    let laid = Laid::over(&paper(), found).expect("it is right");
    let [narrow, wide] = [&laid.rows[0][1], &laid.rows[1][1]];
    assert_eq!((narrow.range, narrow.holds()), (Some((250.0, 290.0)), Some(false)));
    assert!((narrow.off().expect("it was published") - 13.0 / 287.0).abs() < 1e-9);
    // What ours measures besides is taken off it and off its range.
    assert_eq!((wide.middle(), wide.range, wide.holds()), (Some(287.0), Some((250.0, 300.0)), Some(true)));
    assert_eq!(Tally::of(&[laid]), Tally { held: 1, off: 1, open: 0 });
}

#[test]
fn what_was_not_run_is_open_and_what_nobody_asks_for_is_a_mistake() {
    let laid = Laid::over(&paper(), |_, _| Found::NotRun).expect("it is right");
    assert_eq!(Tally::of(&[laid]), Tally { held: 0, off: 0, open: 2 });
    let mistake = Laid::over(&paper(), |_, _| Found::NotAsked).expect_err("it refers to nothing");
    assert!(mistake.starts_with("`takeover(p50)` of narrow at 50: narrow.toml does not ask for it"), "{mistake}");
    let count = |_: &str, _: &str| Found::Measured(vec![Measured { quantity: Quantity::Count, ..measured(1, 1, 1) }]);
    let mistake = Laid::over(&paper(), count).expect_err("a count is no time");
    assert_eq!(mistake, "`takeover(p50)` of narrow is not measured in `ms`");
}

#[test]
fn the_page_tells_what_is_off_and_escapes_what_it_is_told() {
    let laid = Laid::over(&paper(), |_, _| Found::Measured(vec![measured(300, 250, 290)])).expect("it is right");
    let page = page("0.1.0", &[laid]);
    assert!(page.contains("0 of 2 numbers lie where the scenarios ask"), "{page}");
    assert!(page.contains("+4.53\u{202f}%"));
    assert!(page.contains("wide &lt;&amp;&gt;") && !page.contains("wide <&>"));
    let open = Laid::over(&paper(), |_, _| Found::NotRun).expect("it is right");
    assert!(super::page("0.1.0", &[open]).contains("none of 2 numbers was measured"));
}

#[test]
fn numbers_are_told_with_four_figures() {
    let told = [0.0, 0.00057, 1.515, 43.7, 409.0, 12_345.6].map(figures);
    assert_eq!(told, ["0", "0.00057", "1.515", "43.7", "409", "12346"]);
}
