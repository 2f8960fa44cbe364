//! What templates make. Where a test does not say otherwise its texts are what Apache Velocity 1.7 gives when a reference to nothing
//! is an empty text: with that, Velocity gives every recorded row.

mod limits;

use super::{Fault, Host, Template};
use crate::value::{Budget, Heap, ListKind, Map, Value};
use std::cell::Cell;

/// `$o`: an object of the host, with the property `p`, a method that says how it was called, a map, and a count of who asked.
#[derive(Default)]
struct Objects(Cell<u32>);

impl Host for Objects {
    fn root(&self, name: &str, heap: &mut Heap) -> Value {
        self.0.set(self.0.get() + 1);
        match name {
            "o" => Value::Host("o".into()),
            "map" => heap.new_map(Map::new()),
            "json" => heap.new_list(ListKind::Json, vec![Value::text("a"), Value::Null]),
            _ => Value::Null,
        }
    }

    fn property(&self, object: &str, name: &str, _: &mut Heap) -> Result<Value, Fault> {
        Ok(if name == "p" { Value::text(format!("{object}.{name}")) } else { Value::Null })
    }

    fn call(&self, object: &str, method: &str, arguments: &[Value], _: &mut Heap) -> Result<Value, Fault> {
        match method {
            "m" => Ok(Value::text(format!("{object}.{method}{arguments:?}"))),
            "fail" => Err(Fault::Body("no".to_owned())),
            _ => Ok(Value::Null),
        }
    }
}

fn render(template: &str) -> String {
    let template = Template::parse(template).unwrap_or_else(|error| panic!("{template:?}: {error}"));
    template.render(&Objects::default(), &mut Heap::new(Budget::default())).unwrap()
}

fn fault(template: &str) -> Fault {
    Template::parse(template).unwrap().render(&Objects::default(), &mut Heap::new(Budget::default())).unwrap_err()
}

fn error(template: &str) -> String {
    Template::parse(template).unwrap_err().to_string()
}

#[track_caller]
fn assert_renders(rows: &[(&str, &str)]) {
    for (template, expected) in rows {
        assert_eq!(render(template), *expected, "{template:?}");
    }
}

#[test]
fn what_is_no_velocity_stays_as_it_is() {
    for text in ["", "{\"statusCode\": 200}", "costs $5, #1, a $ #", "{\"color\": \"#fff\"}", "$.a ${} ${1} $(x) $-a # if", "#foo"]
    {
        assert_eq!(Template::parse(text).unwrap().as_plain(), Some(text));
        assert_eq!(render(text), text);
    }
    assert_eq!(Template::parse("a## b\nc").unwrap().as_plain(), Some("ac"));
    assert!(Template::parse("$x").unwrap().as_plain().is_none());
    assert_renders(&[
        ("#fff (1 2) #foo($x, \"a\" b)\nc", "#fff (1 2) #foo($x, \"a\" b)\nc"),
        ("$! $!5 $![ $!{1} $!$x#1", "$ $5 $[ $!{1} $!#1"),
        ("a$#if(true)b#end c $$#set($x=1)d $#stop", "ab c d $"),
        ("$u{b}c ${u}{b} $u.k{b.c()}d $u {b}", "{c {b} {d  {b}"),
    ]);
}

#[test]
fn references_print_and_those_to_nothing_print_nothing() {
    assert_renders(&[
        ("#set($a=1)$a $!a ${a} $!{a}b $a.b $a.b.c() ${a.b}|$$a", "1 1 1 1b   |$1"),
        ("$u|$!u|${u}|$!{u}|$u.v.w()[0].x|$u-v", "|||||"),
        ("#set($a-b=1)$a-b ${a-b}.x $a-b. $a-b.1 $a-b._c", "1 1.x 1. 1.1 1._c"),
        (
            "#set($l=[1,{\"k\":[2,3]}])$l[0] $l[ 0 ] $l[1].k[1] $l[1][\"k\"][0] $l[-1].k $l [0]",
            "1 1 3 2 [2, 3] [1, {k=[2, 3]}] [0]",
        ),
        ("#set($l=[1])$l[5]|$l[-5]|$l[\"a\"]|$l.get(5)|", "||||"),
        (
            "#set($m={\"k\":\"v\",\"w\":[]})#set($k=\"k\")$m.k $m[\"k\"] $m['k'] $m[$k] $m[\"$k\"] $m.w.empty $m.x",
            "v v v v v true ",
        ),
        ("#set($m={\"k\":\"v\"})${m.k}## c\n$m.k## c\n$m[\"k\"]## c\n$m.get(\"k\")x.y $m[\"k\"]abc.d[0] e", "vv## c\nvvx vabc e"),
        ("$o.p $o[\"p\"] $o.q $o $o.m('a', 1)", "o.p o.p   o.m[Text(\"a\"), Integer(1)]"),
        ("$json $json.get(1)| #foreach($i in $json)<$i>#end", "[\"a\",null] | <a><>"),
    ]);
    assert_eq!(fault("$o.fail()"), Fault::Body("no".to_owned()));
}

#[test]
fn the_host_is_asked_once_for_an_object() {
    let host = Objects::default();
    let template = Template::parse("#set($map.a = 1)#set($map.b = {})#set($map.b.c = 2)$map $map.put('a', 3) $map").unwrap();
    let text = template.render(&host, &mut Heap::new(Budget::default()));
    assert_eq!(text, Ok("{a=1, b={c=2}} 1 {a=3, b={c=2}}".to_owned()));
    assert_eq!(host.0.get(), 1);
}

#[test]
fn set_assigns_what_there_is() {
    assert_renders(&[
        ("#set($x=1)#set($x=1/0)$x#set($x=$u)[$x]#if($x==\"\")e#end", "1[]e"),
        ("#set($m={})#set($m.x=1)#set($m[\"y\"]=2)#set($m.z.w=3)#set($u.v=4)$m$u", "{x=1, y=2}"),
        ("#set($l=[1,2])#set($l[0]=\"a\")#set($l[-1]=\"z\")#set($l[9]=1)$l", "[a, z]"),
        ("#set($m={})#set($m.n=$u)$m#set(${x}=1)#set($!y=2)|$x$y", "{n=}|"),
        ("#set ($x = 1)#{set}($y= 2 )$x$y#set $x", "12#set 1"),
    ]);
}

#[test]
fn conditions_hold_unless_they_are_false() {
    assert_renders(&[
        ("#if($u)T#{else}F#end#if(!$u)T#{else}F#end#if($u.a.b)T#end#if($u==$v)T#end#if($u==\"\")T#end", "TFTTT"),
        ("#if(1)T#{else}F#end#if(\"a\")T#{else}F#end#if([1])T#{else}F#end#if(1+1)T#{else}F#end#if(!1)T#end", "FFFFT"),
        ("#set($f=false)#if($f)a#elseif($u)b#else c#end#if($f)a#elseif($f)b#else c#end#if (true)d#end", "b cd"),
        ("#if(true && !false || $f)a#end#if(true and not false)b#end#if(false or true)c#end#if(!(1==2))d#end", "abcd"),
        ("#set($x=true&&1)$x#set($x=!1)$x#set($x=1==1==true)$x#set($x=3>2>1)$x", "falsetruetruefalse"),
        ("#if(1=='1')a#end#if(1==1.0)b#end#if('a'<'b')c#end#if($u<1)d#end#if([1]==[1])e#end#if(true=='true')f#end", "abef"),
        (
            "#if(1 lt 2)a#end#if(2 le 2)b#end#if(3 gt 2)c#end#if(2 ge 2)d#end#if(1 eq 1)e#end#if(1 ne 2)f#end#if(1!=2)g#end",
            "abcdefg",
        ),
        ("#if(false)a#{else}b#end#if(true)x#elsey#end", "bx#elsey"),
    ]);
}

#[test]
fn numbers_are_those_of_java() {
    assert_renders(&[
        ("#set($x=7/2)$x #set($x = -7/2)$x #set($x=7%3)$x #set($x = -7%3)$x", "3 -3 1 -1".replace(' ', "").as_str()),
        (
            "#set($x=2147483647+1)$x,#set($x=9223372036854775807+1)$x,#set($x=99999999999999999999)$x,#set($x=$x*2)$x",
            "2147483648,9223372036854775808,99999999999999999999,199999999999999999998",
        ),
        (
            "#set($x=1.50)$x,#set($x=1e10)$x,#set($x=.5)$x,#set($x=1.)$x,#set($x=10/4.0)$x,#set($x=0.1+0.2)$x",
            "1.5,1.0E10,0.5,1.0,2.5,0.30000000000000004",
        ),
        ("#set($x=5)#set($x=1/0)$x#set($x=1.0/0)$x#set($x=5%0)$x#set($x=\"a\" - 1)$x", "5555"),
        ("#set($x=1 + 2 * 3 - 4 / 2)$x#set($x=(1 + 2) * 3)$x#set($x=10 - 2 - 3)$x#set($x=5 - -2)$x#set($x=1- 1)$x", "59570"),
        ("#set($x=\"a\"+1)$x#set($x=1+\"a\")$x#set($x=\"a\"+$u)$x#set($x=[1]+\"b\")$x", "a11aa[1]b"),
    ]);
    assert!(error("#set($x = 5-2)").contains("a blank stands between `-` and a number"));
}

#[test]
fn strings_are_evaluated_in_double_quotes() {
    assert_renders(&[
        ("#set($x=\"a\")#set($s=\"$x ${x}b $u#if(true)c#{else}d#end\")$s#set($s='$x #if')$s", "a ab c$x #if"),
        (
            "#set($s=\"a\"\"b''\")$s#set($s='it''s\"\"')$s#set($s=\"\\u0041\\n\\\")$s#set($s='\\u0041')$s",
            "a\"b''it's\"\"A\\n\\\\u0041",
        ),
        (
            "#set($s=\"x ## y\")[$s]#set($s=\"#foo\")[$s]#set($s=\"$\")[$s]#set($s=\"a $ \")[$s]#set($s=\"\")[$s]#set($s=\"##\")[$s]",
            "[x ][#foo][$][a $ ][][]",
        ),
        ("#set($s=\"a\nb\")$s", "a\nb"),
        ("#set($x=\"a#stop b\")c", ""),
    ]);
}

#[test]
fn lists_maps_and_ranges() {
    assert_renders(&[
        (
            "#set($x=[1,\"a\",$u,[2],{\"k\":1},true,1.5])$x #set($x=[])$x#set($x={})$x#set($x={ })$x",
            "[1, a, , [2], {k=1}, true, 1.5][]{}{}",
        ),
        (
            "#set($n=3)#set($x=[0..$n])$x#set($x=[ 2 .. -1 ])$x#set($x=[1..1])$x#set($x=[$u..3])$x",
            "[0, 1, 2, 3][2, 1, 0, -1][1][1]",
        ),
        ("#set($x={\"a\":[1..2], 'b' : {\"c\":$u} , 7:8})$x", "{a=[1, 2], b={c=}, 7=8}"),
    ]);
}

#[test]
fn foreach_knows_where_it_is() {
    assert_renders(&[
        (
            "#foreach($i in [1])$foreach#end#foreach($i in [1..3])$foreach.count,$foreach.index,$foreach.hasNext,$foreach.first,$foreach.last;#end|$foreach.count|$i",
            "{}1,0,true,true,false;2,1,true,false,false;3,2,false,false,true;||",
        ),
        ("#foreach($i in [1..2])$velocityCount $velocityHasNext;#end$velocityCount", "1 true;2 false;"),
        (
            "#foreach($i in [1,2])#foreach($j in [1,2])$foreach.parent.index$foreach.index$foreach.topmost.count $foreach.getIndex()$foreach.isFirst()$foreach.hasNext();#end#end",
            "001 0truetrue;011 1falsefalse;102 0truetrue;112 1falsefalse;",
        ),
        ("#set($i=9)#foreach($i in [1..2])$i#end$i#foreach( $v in {\"a\":1,\"b\":2} )$v#end", "12912"),
        ("#foreach(${i} in [1])$i#end#foreach($i.a in [2])$i#end#define($d.a)x#end$d", "12x"),
        ("#foreach($i in \"abc\")$i#end#foreach($i in $u)$i#end#foreach($i in 5)$i#end#foreach($i in [])$i#{end}.", "."),
        (
            "#set($m={\"a\":1,\"b\":2})#foreach($e in $m.entrySet())$e.key=$e.value,$e.getKey(),$e;#end$m.entrySet()",
            "a=1,a,a=1;b=2,b,b=2;[a=1, b=2]",
        ),
        ("#foreach($i in [1..1500])#if($foreach.count==1000)$foreach.hasNext#end#if($foreach.count>1000)x#end#end", "true"),
        ("#set($l=[1])#foreach($i in $l)#set($x=$l.add(2))$i#end$l", "1[1, 2]"),
    ]);
}

#[test]
fn break_and_stop_leave() {
    assert_renders(&[
        ("#foreach($i in [1..5])$i#if($i==3)#break#end,#end z", "1,2,3 z"),
        ("#foreach($i in [1..2])#foreach($j in [1..2])$i$j#break($foreach.parent)#end#end z", "11 z"),
        ("#foreach($i in [1..2])#foreach($j in [1..2])$i$j #break#end#end z", "11 21  z"),
        ("a#break b", "a"),
        ("a#if(true)b#stop c#end d", "ab"),
        ("#define($d)a#break b#end$d c", "a c"),
        ("#stopped #{stop}a", "#stopped "),
    ]);
}

#[test]
fn define_renders_where_it_is_used() {
    assert_renders(&[
        (
            "#define($d)x$i#end#set($i=1)$d#set($e=$d)#set($i=2)$e $d.toString() $d.length() \"#if($d)t#end\"#set($s=\"<$d>\")$s",
            "x1x2 x2  \"t\"<x2>",
        ),
        ("#define( $d )  \n body \n#end\n[$d]", "[ body \n]"),
        ("#define($d)#if($n<3)$n#set($n=$n+1)$d#end#end#set($n=0)$d", "012"),
        ("#define($d)x#end#if($d==\"x\")T#end$d()", "Tx()"),
    ]);
    assert_eq!(render("#define($d)x$d#end$d"), format!("{}$d", "x".repeat(20)));
}

#[test]
fn macros_and_what_api_gateway_lacks_are_text() {
    assert_renders(&[
        ("#macro(foo $x)hi $x#end#foo(1) #foo($u) \\#foo", "#foo(1) #foo($u) \\#foo"),
        (
            "#evaluate(\"$x\") #include(\"a\") #parse(\"b\") #return #return(1)\n#{foo}",
            "#evaluate(\"$x\") #include(\"a\") #parse(\"b\") #return #return(1)\n#{foo}",
        ),
        ("#@foo(1)$x#end y#literal()$a #if(true)b#end#end c", "#@foo(1)$x#end y$a #if(true)b#end c"),
    ]);
}

#[test]
fn comments_and_raw_text() {
    assert_renders(&[
        ("## comment\na ## c\nb#* x\n *# c\n#*\n*#\nd", "a b c\n\nd"),
        ("#[[ $s #if ]]# a #** d *#b", " $s #if  a b"),
        ("a#* not closed", "a"),
        ("## c\r\nx##", "x"),
    ]);
}

#[test]
fn backslashes_escape_what_they_touch() {
    assert_renders(&[
        ("#set($a=1)\\$a \\\\$a \\\\\\$a \\$u \\\\$u| \\$!a \\${a} \\a \\$ \\\\ \\", "$a \\1 \\$a $u \\| $!a ${a} \\a \\$ \\\\ \\"),
        (
            "\\#if(true)x \\\\#if(true)y#end \\#foo \\\\#foo \\#end \\# \\#foreach \\#{if} \\\\\\#end",
            "#if(true)x \\y \\#foo \\\\#foo #end \\# #foreach #{if} \\#end",
        ),
        ("#set($x=0)\\#set($x=1) \\\\#set($x=1)$x", "#set(0=1) \\\\1"),
    ]);
}

#[test]
fn directives_take_the_rest_of_a_blank_line() {
    assert_renders(&[
        ("  #if(true)  \n  x\n  #else\n  y\n  #end  \nz", "    x\n  z"),
        ("#foreach($i in [1..2])\n  $i\n#end\nafter", "  1\n  2\nafter"),
        ("a  #set($x=1)  \nb#set($y=2) c\n  #set($z=3)\r\nd", "a  b c\n  d"),
        ("#set($x=1)\n  #set($y=2)\n  #set($z=3)\ne $x  #set($x=2) f", "e 1 f"),
        ("#if(true) b #end\nc#if(true)d#end e", " b cd e"),
        ("#foreach($i in [1])\ra#end\rb", "ab"),
    ]);
}

#[test]
fn methods_are_those_of_java() {
    let text = "#set($s=\"Hello World\")";
    for (call, expected) in [
        ("length()", "11"),
        ("isEmpty()", "false"),
        ("toUpperCase()", "HELLO WORLD"),
        ("charAt(4)", "o"),
        ("substring(6)", "World"),
        ("substring(6, 99)", ""),
        ("indexOf(\"o\", 5)", "7"),
        ("lastIndexOf(\"o\")", "7"),
        ("lastIndexOf(\"o\", 6)", "4"),
        ("indexOf(\"x\")", "-1"),
        ("replace(\"l\", \"L\")", "HeLLo WorLd"),
        ("replaceAll(\"(l+)o\", \"<$1>\")", "He<ll> World"),
        ("replaceFirst(\"[lo]\", \"\")", "Helo World"),
        ("matches(\"Hello.*\")", "true"),
        ("matches(\"Hello\")", "false"),
        ("split(\" \")", "[Hello, World]"),
        ("split(\"o\").size()", "3"),
        ("concat(\"!\").trim()", "Hello World!"),
        ("hashCode()", "-862545276"),
        ("compareTo(\"Hello\")", "6"),
        ("compareTo(\"Help\")", "-4"),
        ("equalsIgnoreCase(\"hello world\")", "true"),
        ("startsWith(\"World\", 6)", "true"),
        ("endsWith(\"d\")", "true"),
        ("nope()", ""),
        ("length(1)", ""),
        ("empty", "false"),
        ("class", ""),
    ] {
        assert_eq!(render(&format!("{text}$s.{call}")), expected, "{call}");
    }
    assert_renders(&[
        (
            "#set($s=\"a€😀b\")$s.length() $s.indexOf(\"b\") $s.substring(1,2) $s.substring(4) $s.charAt(1) $s.substring(0,3)",
            "5 4 € b € a€\u{fffd}",
        ),
        ("#set($s=\"a,b,,c,,\")#foreach($p in $s.split(\",\"))[$p]#end$s.split(\",\", -1).size()", "[a][b][][c]6"),
        (
            "#set($i=0)$i.parseInt(\"5\") $i.valueOf(\"7\") $i.intValue() $i.equals(0) $i.compareTo(1) $i.doubleValue() $i.parseInt(\"x\")|",
            "5 7 0 true -1 0.0 |",
        ),
        (
            "#set($d=1.5)$d.intValue() $d.parseDouble(\"2\") $d.valueOf(\"3e1\") $d.isNaN() $d.longValue() $d.toString()",
            "1 2.0 30.0 false 1 1.5",
        ),
        ("#set($b=true)$b.equals(true) $b.parseBoolean(\"TRUE\") $b.toString().length() $b.compareTo(false)", "true true 4 1"),
        (
            "#set($l=[1,2,3])$l.contains(2) $l.contains(\"2\") $l.indexOf(3) $l.add(4) $l.add(0,9) $l $l.set(0,8) $l.remove(1) $l $l.subList(1,2) $l.addAll([7,8]) $l.clear() $l $l.isEmpty()",
            "true false 2 true  [9, 1, 2, 3, 4] 9 1 [8, 2, 3, 4] [2] true  [] true",
        ),
        (
            "#set($m={\"a\":1})$m.put(\"b\",2)|$m.put(\"a\",3)|$m.remove(\"a\")|$m.get(\"z\")|$m.containsKey(\"b\") $m.containsValue(2) $m.getOrDefault(\"q\",5) $m.keySet() $m.values() $m.size() $m.clear()|$m",
            "|1|3||true true 5 [b] [2] 1 |{}",
        ),
        ("#set($m={})$m.putAll({\"a\":1,\"b\":2})$m.toString().length() $m.equals({\"b\":2,\"a\":1})", "10 true"),
    ]);
    assert_eq!(
        fault("#set($s='a')$s.matches('(?=a)')"),
        Fault::Method("the pattern `(?=a)` is not served: `(?=` is look-around".to_owned())
    );
}

#[test]
fn errors_say_what_is_missing_and_where_it_began() {
    for (template, message) in [
        ("a\n  #if($x)b", "line 2, column 3: `#if` has no `#end`"),
        ("#foreach($i in [1])a", "line 1, column 1: `#foreach` has no `#end`"),
        ("#if(true)a#endfoo", "line 1, column 1: `#if` has no `#end`"),
        ("é#end", "line 1, column 2: `#end` without a directive that it belongs to"),
        ("#else", "line 1, column 1: `#else` without a directive that it belongs to"),
        ("#foreach($i in [1])#else#end", "line 1, column 20: `#else` within `#foreach` without an `#if`"),
        ("#if($a)#else#else#end", "line 1, column 13: a second `#else` of one `#if`"),
        ("#if($a)#else#elseif($b)#end", "line 1, column 13: `#elseif` after the `#else`"),
        ("#if true", "line 1, column 1: `#if` needs a condition in brackets"),
        ("#if()a#end", "line 1, column 5: `)` where a value is due"),
        ("#if($a = 1)x#end", "line 1, column 8: `=` where `#if` goes on or is closed with `)`"),
        ("#set($x = \"abc)", "line 1, column 11: the string has no `\"` at its end"),
        ("#set($x = 1", "line 1, column 1: `#set(` has no `)`"),
        ("#set($x)", "line 1, column 8: `)` where `#set` needs `=`"),
        ("#set(x = 1)", "line 1, column 6: `x` where `#set(` needs a reference"),
        ("#set($x = (1 + 2)", "line 1, column 1: `#set(` has no `)`"),
        ("#set($x = [1, 2)", "line 1, column 16: `)` where `[` goes on or is closed with `]`"),
        ("#set($x = {\"a\" 1})", "line 1, column 16: `1` where a `:` follows the key of a map"),
        ("#set($x = \"$y.z(\")", "line 1, column 11: in this string: the end where a value is due"),
        ("${a.b", "line 1, column 1: `${` has no `}`"),
        ("${a b}", "line 1, column 4: ` ` where `${` goes on or is closed with `}`"),
        ("$a[foo]", "line 1, column 4: `foo` where a value is due"),
        ("$a.b(1 + 2)", "line 1, column 8: `+` where `(` goes on or is closed with `)`"),
        ("#[[ a", "line 1, column 1: `#[[` has no `]]#`"),
        ("#foreach($i of $l)#end", "line 1, column 13: `of` where `#foreach` needs `in`"),
        ("#foreach $i", "line 1, column 1: `#foreach` needs arguments in brackets"),
    ] {
        assert_eq!(error(template), message, "{template:?}");
    }
}
