//! No template keeps a worker: what is deep, long or large is paid for, or ends.

use super::{Fault, Host, Template, error, fault, render};
use crate::value::{Budget, Exhausted, Heap, Map, Value};

#[test]
fn no_template_is_too_much() {
    for (open, close) in [("#if(true)", "#end"), ("#set($x=", ")"), ("#foreach($i in [1])", "#end")] {
        let deep = open.repeat(8_000) + &close.repeat(8_000);
        assert!(error(&deep).contains("levels") || open.starts_with("#set"), "{open}");
    }
    for inner in ["(", "[", "{1:", "!", "$a[", "$a.b(", "not "] {
        assert!(error(&format!("#set($x={}", inner.repeat(20_000))).contains("nested deeper than 100 levels"), "{inner}");
    }
    // Long, but not deep.
    assert_eq!(render(&format!("#set($x=1{})$x", " + 1".repeat(20_000))), "20001");
    assert_eq!(render(&"$".repeat(100_000)).len(), 100_000);
    assert_eq!(render(&"$a".repeat(100_000)), "");
    assert_eq!(render(&"\\".repeat(100_000)).len(), 100_000);
    assert_eq!(render(&format!("$a{}", ".b".repeat(100_000))), "");
    assert_eq!(error(&"a".repeat(300 * 1024 + 1)), "line 1, column 1: the template has 307201 bytes; 307200 are allowed");
    let loops = "#foreach($i in [1..1000])".repeat(4) + "x" + &"#end".repeat(4);
    assert_eq!(fault(&loops), Fault::Exhausted(Exhausted::Steps));
    let output = format!("#foreach($i in [1..1000]){}#end", "a".repeat(11_000));
    assert_eq!(fault(&output), Fault::Exhausted(Exhausted::Output));
    assert_eq!(fault("#set($x=[1..2000000000])"), Fault::Exhausted(Exhausted::Steps));
    let doubled = "#set($s='a')#foreach($i in [1..60])#set($s=\"$s$s\")#end";
    assert!(matches!(fault(doubled), Fault::Exhausted(_)));
    let patterns = "#set($s='a-b')#foreach($i in [1..1000])#if($s.matches('[a-z]+-[a-z]{1,20}'))$s.replaceAll('-', '')#end#end";
    assert_eq!(render(patterns).len(), 2000);
    assert_eq!(fault("#set($l=[])#set($x=$l.add($l))$l"), Fault::Exhausted(Exhausted::Depth));
}

/// What is long is paid for as often as it is read, copied or moved, whatever it is.
#[test]
fn what_is_long_is_paid_for() {
    let set = |what: &str| {
        format!("#set($s='{}')#set($m={{'k':1}})#set($x=[1,2])#foreach($i in [1..1000]){what}#end", "0".repeat(200_000))
    };
    for work in [
        "$m.get($s)",
        "$m[$s]",
        "#set($m[$s]=1)",
        "$i.parseInt($s)",
        "$s.toCharArray()",
        "$s.replace('0', '')",
        "#foreach($j in [1..1000])#set($m[\"$i-$j\"]=1)#end",
        "#foreach($j in [1..1000])#set($a = $x.add($j))#end#set($a = $x.add(0, 1))",
    ] {
        assert_eq!(fault(&set(work)), Fault::Exhausted(Exhausted::Steps), "{work}");
    }
    let digits = format!("#set($x={}9{})$x", "0".repeat(1000), "0".repeat(30));
    assert_eq!(render(&digits), format!("9{}", "0".repeat(30)));
    let negative = format!("#set($x=-00{})$x", "9".repeat(30));
    assert_eq!(render(&negative), format!("-{}", "9".repeat(30)));
}

/// As deep as can be read, within a `#define` that is in itself as deep as it goes.
#[test]
fn the_deepest_template_that_is_read_ends() {
    let nested = format!("#define($d){}$d{}#end$d", "#if(true)".repeat(95), "#end".repeat(95));
    assert_eq!(fault(&nested), Fault::Exhausted(Exhausted::Depth));
    let brackets = format!("#set($x={}1{})$x", "(".repeat(98), ")".repeat(98));
    assert_eq!(render(&brackets), "1");
}

#[test]
fn a_large_map_is_taken_over_and_filling_one_is_paid_for() {
    let render = |template: &str| {
        let mut heap = Heap::new(Budget::default());
        let keys = (0..60_000u32).rev().map(|n| (format!("{n:05}").into(), Value::Null)).collect();
        let large = heap.new_map(Map::from_entries(keys));
        let host = Given(large);
        Template::parse(template).unwrap().render(&host, &mut heap).map(|text| (text, heap.budget.left()))
    };
    let (text, _) = render("#set($m = {})#set($x = $m.putAll($large))$m.size()").unwrap();
    assert_eq!(text, "60000");
    let (_, kept) = render("#set($large['0'] = 1)").unwrap();
    let (_, less) = render("#set($large['0'] = 1)#set($large['1'] = 1)").unwrap();
    assert!(kept - less > 200, "{}", kept - less);
}

/// `$large`
struct Given(Value);

impl Host for Given {
    fn root(&self, _: &str, _: &mut Heap) -> Value {
        self.0.clone()
    }

    fn property(&self, _: &str, _: &str, _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn call(&self, _: &str, _: &str, _: &[Value], _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }
}
