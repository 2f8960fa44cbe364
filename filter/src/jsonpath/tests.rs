use super::*;
use crate::value::{Budget, json_text, parse};

/// The shop of Jayway's README, and what it has not.
const DOCUMENT: &str = r#"{"store":{"book":[{"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95},{"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99},{"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99},{"category":"fiction","author":"J. R. R. Tolkien","title":"The Lord of the Rings","isbn":"0-395-19395-8","price":22.99}],"bicycle":{"color":"red","price":19.95}},"expensive":10,"n":[1,2,3,4],"s":["a","b"],"nul":null,"e":[],"m":{"x":{"y":1},"z":{"y":2}},"x.y":5,"t":"text","list":[[1,2],[3,[4,5]]]}"#;

fn read(json: &str, path: &str) -> Result<Option<String>, InvalidPath> {
    let mut heap = Heap::new(Budget::default());
    let root = parse(&json.into(), &mut heap).unwrap();
    let value = JsonPath::parse(path)?.read(&root, &mut heap).unwrap();
    Ok(value.map(|value| json_text(&value, &mut heap).unwrap()))
}

fn check(rows: &[(&str, Option<&str>)]) {
    for (path, expected) in rows {
        assert_eq!(read(DOCUMENT, path).as_ref().map(Option::as_deref), Ok(*expected), "{path}");
    }
}

/// What json-path 2.0.0 was seen to answer, where 2.9 does not differ; `None` is its `PathNotFoundException`.
#[test]
fn a_number_with_a_million_digits_is_paid_for_each_time_that_it_is_read() {
    let body = format!(r#"{{"limit":{},"items":[{}1]}}"#, "1".repeat(1_000_000), "1,".repeat(5000));
    for path in ["$.items[?(@ < $.limit)]", "$.items[?(@ == $.limit)]", "$.items[?(@ < $.items.sum($.limit))]"] {
        let mut heap = Heap::new(Budget::default());
        let root = parse(&body.as_str().into(), &mut heap).unwrap();
        assert_eq!(JsonPath::parse(path).unwrap().read(&root, &mut heap).unwrap_err(), Exhausted::Steps, "{path}");
    }
}

#[test]
fn paths_lead_where_jayway_2_0_was_seen_to_go() {
    check(&[
        ("$.store.bicycle", Some(r#"{"color":"red","price":19.95}"#)),
        ("$.store.bicycle.color", Some(r#""red""#)),
        ("store.bicycle.color", Some(r#""red""#)),
        ("['store']['bicycle']", Some(r#"{"color":"red","price":19.95}"#)),
        ("$['store']['bicycle']['color']", Some(r#""red""#)),
        ("$.store.book[*].author", Some(r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#)),
        ("$..author", Some(r#"["Nigel Rees","Evelyn Waugh","Herman Melville","J. R. R. Tolkien"]"#)),
        ("$.store..price", Some("[8.95,12.99,8.99,22.99,19.95]")),
        (
            "$..book[2]",
            Some(r#"[{"category":"fiction","author":"Herman Melville","title":"Moby Dick","isbn":"0-553-21311-3","price":8.99}]"#),
        ),
        ("$..book[1:2]", Some(r#"[{"category":"fiction","author":"Evelyn Waugh","title":"Sword of Honour","price":12.99}]"#)),
        ("$..book[?(!@.isbn)].title", Some(r#"["Sayings of the Century","Sword of Honour"]"#)),
        ("$.store.book[?(@.price < 10)].title", Some(r#"["Sayings of the Century","Moby Dick"]"#)),
        ("$..book[?(@.price <= $['expensive'])].title", Some(r#"["Sayings of the Century","Moby Dick"]"#)),
        ("$..book[?(@.author =~ /.*REES/i)].title", Some(r#"["Sayings of the Century"]"#)),
        ("$.s.sum()", None),
        ("$.n.index(9)", None),
        ("$.n[0]", Some("1")),
        ("$.n[9]", None),
        ("$.n[-9]", None),
        ("$.n[0,2]", Some("[1,3]")),
        ("$.n[0, 2]", Some("[1,3]")),
        ("$.n[1:]", Some("[2,3,4]")),
        ("$.n[:2]", Some("[1,2]")),
        ("$.n[:-1]", Some("[1,2,3]")),
        ("$.n[-2:]", Some("[3,4]")),
        ("$.n[1:3]", Some("[2,3]")),
        ("$.n[1:-1]", Some("[]")),
        ("$.n[0:4:2]", Some("[1,2,3,4]")),
        ("$.n[*]", Some("[1,2,3,4]")),
        ("$.n.*", Some("[1,2,3,4]")),
        ("$.nul", Some("null")),
        ("$.nul.x", None),
        ("$.nul[0]", None),
        ("$.none", None),
        ("$.none.x", None),
        ("$.t.x", None),
        ("$.n.x", None),
        ("$.e[0]", None),
        ("$.e[*]", Some("[]")),
        ("$.e", Some("[]")),
        ("$['n','t']", Some(r#"{"n":[1,2,3,4],"t":"text"}"#)),
        ("$['n','none']", Some(r#"{"n":[1,2,3,4]}"#)),
        ("$.m['x','z']", Some(r#"{"x":{"y":1},"z":{"y":2}}"#)),
        ("$.m.*.y", Some("[1,2]")),
        ("$.m..y", Some("[1,2]")),
        ("$['x.y']", Some("5")),
        ("$.x.y", None),
        ("$.list[*][0]", Some("[1,3]")),
        ("$..list[0]", Some("[[1,2]]")),
        ("$.list..[0]", Some("[[1,2],1,3,4]")),
        ("$.list[0][1]", Some("2")),
        ("$.store.book[?(@.category == 'fiction' && @.price < 10)].title", Some(r#"["Moby Dick"]"#)),
        (
            "$.store.book[?(@.category == 'fiction' || @.price < 10)].title",
            Some(r#"["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?(@['category'] == 'reference')].title", Some(r#"["Sayings of the Century"]"#)),
        ("$.store.book[?(@.price == 8.95)].title", Some(r#"["Sayings of the Century"]"#)),
        ("$.store.book[?(@.price == '8.95')].title", Some(r#"["Sayings of the Century"]"#)),
        ("$.store.book[?(@.price != 8.95)].title", Some(r#"["Sword of Honour","Moby Dick","The Lord of the Rings"]"#)),
        ("$.store.book[?(@.isbn == null)].title", Some("[]")),
        ("$.store.book[?('reference' == @.category)].title", Some(r#"["Sayings of the Century"]"#)),
        ("$.store.book[?(@.author =~ /Nigel/)].title", Some("[]")),
        ("$.store.book[?(@.author =~ /Nigel.*/)].title", Some(r#"["Sayings of the Century"]"#)),
        (
            "$.store.book[?((@.price > 10 && @.price < 20) || @.isbn)].title",
            Some(r#"["Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?(@.price > 10 && !@.isbn)].title", Some(r#"["Sword of Honour"]"#)),
        ("$.store.bicycle[?(@.color == 'red')]", Some(r#"[{"color":"red","price":19.95}]"#)),
        ("$.store.bicycle[?(@.color == 'red')].price", Some("[19.95]")),
        ("$.store[?(@.color == 'red')]", Some("[]")),
        ("$..[?(@.color)]", Some(r#"[{"color":"red","price":19.95}]"#)),
        ("$..[?(@.price > 20)].title", Some(r#"["The Lord of the Rings"]"#)),
        ("$.n[?(@ > 2)]", Some("[3,4]")),
        ("$.n[?(@ == 2)]", Some("[2]")),
        ("$.s[?(@ == 'a')]", Some(r#"["a"]"#)),
        ("$.store.book[?(@.none)]", Some("[]")),
        (
            "$.store.book[0][?(@.price)]",
            Some(r#"[{"category":"reference","author":"Nigel Rees","title":"Sayings of the Century","price":8.95}]"#),
        ),
        ("$.store.book[0].none", None),
        ("$.store.book[*].isbn", Some(r#"["0-553-21311-3","0-395-19395-8"]"#)),
        ("$.store.book[*].none", Some("[]")),
        ("$.store.book[*].none.x", Some("[]")),
        ("$..none", Some("[]")),
        ("$..isbn", Some(r#"["0-553-21311-3","0-395-19395-8"]"#)),
        ("$..price", Some("[8.95,12.99,8.99,22.99,19.95]")),
        ("$..['price']", Some("[8.95,12.99,8.99,22.99,19.95]")),
        ("$..['price','color']", Some(r#"[{"price":19.95,"color":"red"}]"#)),
        ("$..x.y", Some("[1]")),
        ("$..m.x", Some(r#"[{"y":1}]"#)),
        ("$.store.book.title", None),
        ("$.store.book[0]['title','price']", Some(r#"{"title":"Sayings of the Century","price":8.95}"#)),
        ("n", Some("[1,2,3,4]")),
        (" $.n[0] ", Some("1")),
        ("$.['n']", Some("[1,2,3,4]")),
        ("$['n'][0]", Some("1")),
        ("$[ 'n' ]", Some("[1,2,3,4]")),
        ("$.n[ 0 ]", Some("1")),
        ("$['n']t", None),
        ("$.s['a']", None),
        ("$.m.x.y.z", None),
        ("$.m.x.y", Some("1")),
        ("$..n[0]", Some("[1]")),
        ("$.store.book[*].price.max()", Some("[]")),
        ("$.list[?(@[0] == 1)]", Some("[[1,2]]")),
        (
            "$.store.book[?(@.title == @.title)].title",
            Some(r#"["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?($.nul)]", Some("[]")),
        (r#"$.store.book[?(@.author == 'a\'b')]"#, Some("[]")),
        ("$.e[?(@.a)]", Some("[]")),
    ]);
}

/// What the code of json-path 2.9 says, where 2.0.0 has no such function or operator, or fails.
#[test]
fn paths_lead_where_jayway_2_9_says() {
    check(&[
        (r#"$["store"]["bicycle"]["color"]"#, Some(r#""red""#)),
        ("$..book.length()", Some("4")),
        ("$.n.length()", Some("4")),
        ("$.length()", Some("10")),
        ("$.store.length()", Some("2")),
        ("$.t.length()", Some("null")),
        ("$.n.min()", Some("1.0")),
        ("$.n.max()", Some("4.0")),
        ("$.n.avg()", Some("2.5")),
        ("$.n.stddev()", Some("1.118033988749895")),
        ("$.n.sum()", Some("10.0")),
        ("$.m.keys()", Some(r#"["x","z"]"#)),
        ("$.n.size()", Some("4")),
        ("$.n.first()", Some("1")),
        ("$.n.last()", Some("4")),
        ("$.n.index(1)", Some("2")),
        ("$.n.index(-1)", Some("4")),
        (r#"$.concat($.t, "x")"#, Some(r#""textx""#)),
        ("$.s.concat()", Some(r#""ab""#)),
        ("$.n.append(5)", Some("[1,2,3,4,5]")),
        ("$.n[-1]", Some("4")),
        ("$.n[0,9]", Some("[1]")),
        ("$.n[-3:-1]", Some("[2,3]")),
        ("$.n[-2:4]", Some("[3,4,1,2,3,4]")),
        ("$.t[0]", None),
        ("$.store[0]", None),
        ("$['m','store'].x", Some(r#"[{"y":1}]"#)),
        ("$.m['x','z'].y", Some("[1,2]")),
        ("$.m['x','none'].y", Some("[1]")),
        ("$.list[*][1][0]", Some("[4]")),
        (r#"$.store.book[?(@.category == "reference")].title"#, Some(r#"["Sayings of the Century"]"#)),
        (
            "$.store.book[?(@.isbn != 'x')].title",
            Some(r#"["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?(@.category in ['reference','x'])].title", Some(r#"["Sayings of the Century"]"#)),
        (
            "$.store.book[?(@.category nin ['reference','x'])].title",
            Some(r#"["Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        (
            "$.store.book[?(@.isbn nin ['a'])].title",
            Some(r#"["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?(@.title size 9)].title", Some(r#"["Moby Dick"]"#)),
        (
            "$.store.book[?(@.title empty false)].title",
            Some(r#"["Sayings of the Century","Sword of Honour","Moby Dick","The Lord of the Rings"]"#),
        ),
        ("$.store.book[?(@.category contains 'fic')].title", Some(r#"["Sword of Honour","Moby Dick","The Lord of the Rings"]"#)),
        ("$.n[?(@ in [1,2])]", Some("[1,2]")),
        ("$..n.length()", Some("4")),
        ("$..price.sum()", Some("73.87")),
        ("$..price.max()", Some("22.99")),
        ("$.store.book[0].length()", Some("4")),
        ("$.list[?(@.length() == 2)]", Some("[[1,2],[3,[4,5]]]")),
        ("$.store.book[?(@.length() == 4)].title", Some(r#"["Sayings of the Century","Sword of Honour"]"#)),
        ("$.store.book[?(@.isbn === '0-553-21311-3')].title", Some(r#"["Moby Dick"]"#)),
        ("$.s[?(@ subsetof ['a'])]", Some("[]")),
        ("$.list[?(@ subsetof [1,2,9])]", Some("[[1,2]]")),
        ("$.list[?(@ anyof [3])]", Some("[[3,[4,5]]]")),
        ("$.list[?(@ noneof [3])]", Some("[[1,2]]")),
        ("$.list[?(@ contains 1)]", Some("[[1,2]]")),
        ("$.list[?(@ == [1,2])]", Some("[[1,2]]")),
    ]);
}

#[test]
fn what_jayway_refuses_is_refused_with_its_place() {
    for path in [
        "$.n[:]",
        "$.n.",
        "$.",
        "$..",
        "$...n",
        "$n",
        "$.a b",
        "$['n",
        "$.n[a]",
        "$.n[0",
        "$.n[?(@.x]",
        "$.n.unknown()",
        "$.store.book[?(@.price =! 1)]",
        "$.store.book[?]",
        "$ .n",
        "",
        " ",
    ] {
        assert!(read(DOCUMENT, path).is_err(), "{path}");
    }
    let invalid = JsonPath::parse("$.a b").unwrap_err();
    assert_eq!(invalid.to_string(), "a name with blanks is written as `['my name']`, at its byte 3");
}

#[test]
fn a_path_is_definite_unless_a_step_may_lead_to_many() {
    for (path, definite) in [
        ("$", true),
        ("a.b[0]", true),
        ("$['a','b']", true),
        ("$.n.length()", true),
        ("$..a.length()", true),
        ("$['a','b'].c", false),
        ("$[0,1]", false),
        ("$[0:1]", false),
        ("$.*", false),
        ("$..a", false),
        ("$[?(@.a)]", false),
        ("$.a[*].length()", false),
    ] {
        assert_eq!(JsonPath::parse(path).unwrap().path.is_definite(), definite, "{path}");
    }
}

#[test]
fn work_and_depth_are_bounded() {
    let exhausted = |json: &str, path: &str| {
        let mut heap = Heap::new(Budget::default());
        let root = parse(&json.into(), &mut heap).unwrap();
        JsonPath::parse(path).unwrap().read(&root, &mut heap).unwrap_err()
    };
    let many = format!("[{}0]", "0,".repeat(3000));
    assert_eq!(exhausted(&many, "$[?(@ in $)]"), Exhausted::Steps);
    assert_eq!(exhausted(&many, "$[?($..* size 1)]"), Exhausted::Steps);
    // What is copied, and each digit, is paid for as often as it is.
    let copied = format!("{{\"l\":[{}[]],\"m\":[{}0],\"n\":{}}}", "[],".repeat(2000), "0,".repeat(5000), "1".repeat(100_000));
    for path in [
        "$.l[?(@ subsetof $.m)]",
        "$.l[?(@ == $.m.concat())]",
        "$.l[?(@ != $.m.append(1))]",
        "$.l[?(1 < $.n)]",
        "$.l[?(1 == $.n)]",
        "$.l[?('1' == $.n)]",
        "$.l[?(1 < $.m.sum($.n))]",
    ] {
        assert_eq!(exhausted(&copied, path), Exhausted::Steps, "{path}");
    }
    let names = format!("$[*][{}'a']", "'a',".repeat(1000));
    assert_eq!(exhausted(&format!("[{}{{}}]", "{},".repeat(3000)), &names), Exhausted::Steps);
    let long = format!("[\"{}\"]", "a".repeat(100_000));
    assert_eq!(exhausted(&long, "$[?(@ =~ /(a{1,50}){1,50}b/)]"), Exhausted::Steps);
    let deep = format!("{}1{}", "[".repeat(250), "]".repeat(250));
    assert_eq!(read(&deep, "$..[0].length()").unwrap().as_deref(), Some("249"));
    for path in [
        format!("${}", ".a".repeat(4_000)),
        format!("$[?({}1{} == 1)]", "(".repeat(3_000), ")".repeat(3_000)),
        format!("$[?({}@.a)]", "!(".repeat(3_000)),
        "$[?(@".repeat(1_000),
        format!("$[?(@ == {}", "[".repeat(3_000)),
        format!("$.concat({}", "$.concat(".repeat(800)),
        "a".repeat(9_000),
    ] {
        assert!(JsonPath::parse(&path).is_err());
    }
}

#[test]
fn an_offset_is_in_the_text_as_it_was_written() {
    for (path, offset) in [("a b", 1), ("  $.a b", 5), (" a..", 4), ("$['a\\", 5), ("!['\\", 4), ("", 0)] {
        assert_eq!(JsonPath::parse(path).unwrap_err().offset, offset, "{path}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(path in "[$@.\\[\\]()?*'\",:!&|=<>~/ an01-]{0,40}") {
        if let Ok(Some(json)) = read(DOCUMENT, &path) {
            read(&json, "$").unwrap();
        }
        let _ = read(DOCUMENT, &format!("$.n[?({path})]"));
    }
}
