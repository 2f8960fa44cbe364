//! Templates at random, of everything that API Gateway and Velocity have in common; the same ones every time.
//!
//! Left out, because the two are known to part there or because no answer would mean anything:
//! - `#macro` and calls of macros, `#include`, `#parse`, `#evaluate`: API Gateway has none of them;
//! - keys of maps that are no texts: JSON has no such keys, and our maps have none;
//! - lists and maps put into themselves: Java says `(this Collection)`, or overflows its stack;
//! - an array printed as a whole (`$s.split("b")`), `hashCode`, `class`: an address of the Java machine;
//! - ranges of more than a thousand numbers: API Gateway's limit of `#foreach`;
//! - `#set($foreach = …)`: Velocity loses count then;
//! - methods of Java's classes beyond those in the tables below: documentation names no others, and somebody has to draw a line.

/// The values under which templates are rendered, as JSON.
pub const CONTEXT: &str = r#"{
    "s": "abc", "e": "", "sp": " a  b ", "num": "12", "html": "<a href=\"x\">&'$#\\</a>", "uni": "é☃", "dotted": "a.b,c",
    "n": 7, "z": 0, "neg": -3, "big": 2147483647, "long": 9223372036854775807,
    "t": true, "f": false,
    "l": ["x", 1, true], "el": [], "ll": [[1, 2], ["a"], []], "lm": [{"k": "v", "i": 1}, {"k": "w", "i": 2}],
    "m": {"k": "v", "l": [1, 2], "m": {"z": "q"}, "nil": null, "i": 5, "a-b": 1, "size": 3}, "em": {}
}"#;

/// xorshift64*, and what is written so far.
pub struct Writer {
    state: u64,
    out: String,
}

type Choice<'a> = &'a [&'a str];

#[rustfmt::skip]
const TEXTS: Choice<'_> = &[
    "a", "text", "x.y", "-", "_b", "1", " ", "  ", "\t", "\n", "\n\n", "\n  ", "  \n", "\r\n", "{\"a\": ", "\"", "'", "}", "{",
    ",", ".", "..", "(", ")", "()", "[0]", "]", "[", ":", ";", "!", "é", "☃", "/", "=", "&", "|", "$", "$ ", "$5", "$-", "$.",
    "$!", "$$", "#", "# ", "#1", "#-", "#a", "#foo", "#foo()", "#foo( 1 )", "#foo.bar", "\\", "\\\\", "\\\\\\", "\\a", "\\n",
    "\\\"", "*", "*#", "]]#", "#fff", "#{", "#{x}", "#@", "${", "$(", "$[", "in", "@", "%",
];

#[rustfmt::skip]
const ROOTS: Choice<'_> = &[
    "s", "e", "sp", "num", "html", "uni", "dotted", "n", "z", "neg", "big", "long", "t", "f", "l", "el", "ll", "lm", "m", "em",
    "u", "undefined", "x", "y", "v", "i", "j", "d", "D", "foreach", "velocityCount", "velocityHasNext", "null", "x_y", "n-1",
    "a1", "in", "set",
];

const SCALARS: Choice<'_> = &["s", "e", "sp", "num", "html", "uni", "n", "z", "neg", "big", "t", "f", "u", "dotted"];

#[rustfmt::skip]
const PROPERTIES: Choice<'_> = &[
    ".k", ".l", ".m", ".nil", ".i", ".m.z", ".a-b", ".size", ".length", ".empty", ".foo", ".foo.bar", ".count", ".index",
    ".hasNext", ".first", ".last", ".parent", ".parent.count", ".topmost.index", ".key", ".value", ".K",
];

/// A `%` is an argument.
#[rustfmt::skip]
const METHODS: Choice<'_> = &[
    ".length()", ".size()", ".isEmpty()", ".toString()", ".toUpperCase()", ".toLowerCase()", ".trim()", ".contains(%)",
    ".indexOf(%)", ".lastIndexOf(%)", ".startsWith(%)", ".endsWith(%)", ".equals(%)", ".equalsIgnoreCase(%)", ".concat(%)",
    ".replace(%, %)", ".replaceAll(%, %)", ".replaceFirst(%, %)", ".matches(%)", ".substring(0)", ".substring(1)",
    ".substring(0, 1)", ".substring( 1 , 2 )", ".charAt(0)", ".split(\",\").size()", ".split(\"b\")[0]", ".split('b').get(0)",
    ".compareTo(%)", ".get(0)", ".get( 1 )", ".get(%)", ".add(%)", ".add(0, %)", ".set(0, %)", ".remove(0)", ".remove(%)",
    ".containsKey(%)", ".containsValue(%)", ".put(%, %)", ".put('k', %)", ".keySet()", ".values()", ".entrySet()",
    ".keySet().size()", ".entrySet().isEmpty()", ".getOrDefault(%, %)", ".clear()", ".addAll([%, %])", ".putAll({%: 1})",
    ".containsAll([%])", ".foo()", ".foo(%)", ".intValue()", ".length().toString()", ".get('k')", ".get('l')", ".subList(0, 1)",
];

#[rustfmt::skip]
const INDEXES: Choice<'_> = &[
    "[0]", "[1]", "[-1]", "[ 0 ]", "[\"k\"]", "['l']", "['nil']", "[\"zz\"]", "[$z]", "[$s]", "['m']['z']", "[0][0]", "[0].k",
    "[$e]", "[\"$s\"]", "[\"a-b\"]",
];

#[rustfmt::skip]
const TEXT_LITERALS: Choice<'_> = &[
    "\"\"", "''", "\"a\"", "'b'", "\"abc\"", "'abc'", "\"b\"", "'k'", "\"7\"", "\"12\"", "\"true\"", "\"a$s\"", "'a$s'",
    "\"${s}b\"", "\"$!{u}\"", "\"$u\"", "\"$\"", "\"#\"", "\"a#b\"", "\"$n + 1\"", "\"\"\"q\"\"\"", "'it''s'", "\"it's\"",
    "'\"'", "\"\\\"", "'\\n'", "\"\\n\\t\"", "\"\\$s\"", "\"\\\\$s\"", "\"#if($t)y#{else}n#end\"",
    "\"#foreach($j in [1..2])$j#end\"", "\"#set($y = 3)$y\"", "\"$m.k\"", "\"$m[\"\"k\"\"]\"", "\"$s.length()\"", "\"## c\"",
    "\"#* c *#a\"", "\"a b\"", "\" \"", "\"é\"", "\"\\u0041\"", "\"$s.\"", "\"{$s}\"", "\"[$l]\"", "\"$d\"", "\"a\nb\"",
    "\"\\a\"", "\"#foo\"", "\"$5\"",
];

#[rustfmt::skip]
const NUMBER_LITERALS: Choice<'_> = &[
    "0", "1", "2", "3", "7", "-1", "-3", "10", "007", "-0", "2147483647", "-2147483648", "2147483648", "4611686018427387904",
    "9223372036854775807", "-9223372036854775808", "9223372036854775808", "99999999999999999999", "1.0", "2.5", "-0.5", ".5",
    "1.", "1e3", "1.5e-3", "1.5E10", "0.1", "100000000.0",
];

const OPERATORS: Choice<'_> = &[" + ", " - ", " * ", " / ", " % ", "+", "*", "/", "%", "- ", " + ", " - ", " * ", " / ", " % "];

#[rustfmt::skip]
const COMPARISONS: Choice<'_> = &[
    " == ", "==", " != ", " < ", " > ", " <= ", " >= ", "<", ">", "<=", ">=", "!=", " eq ", " ne ", " lt ", " gt ", " le ",
    " ge ",
];

const CONNECTIVES: Choice<'_> = &[" && ", " || ", "&&", "||", " and ", " or "];

const SPACES: Choice<'_> = &["", "", "", "", "", " ", " ", "  ", "\t", "\n", " \n "];

const AFTER: Choice<'_> = &["", "", "", "", " ", "  ", "\n", "\n", "\n", " \n", "  \n  ", "\n\n", "\r\n", "\t", ".", "x", "("];

const BEFORE: Choice<'_> = &["", "", "", "", "", "\n", "\n  ", " ", "a ", "a", "\n\t", "\\", "\\\\", "."];

#[rustfmt::skip]
const COMMENTS: Choice<'_> = &[
    "## c\n", "##\n", "  ## c $s #if\n", "##c\r\n", "#* c *#", "#* $s\n#if *#", "  #* c *#\n", "#** d *#", "#**#",
    "#[[$s #if]]#", "#[[\n]]#\n", "## end",
];

#[rustfmt::skip]
const BROKEN: Choice<'_> = &[
    "#set($x = 1-1)", "#set($x = )", "#set()", "#set(x = 1)", "#set($x = -$n)", "#if()", "#end", "#else", "#elseif($t)",
    "#if($t)", "#foreach($i in $l)", "#foreach($i)a#end", "#foreach()a#end", "#foreach($i on $l)a#end", "#set($x = [1,])",
    "#set($x = [ ])", "#set($x = {1})", "$s.length( )", "${s", "$s.get(", "$s[", "$l[]", "#set($x = \"a)", "#set $x = 1",
    "#if $t a", "#define()a#end", "#define(d)a#end", "#if($t)a#else b#else c#end", "#[[ a", "#* a", "#set($x == 1)",
    "#set($x = 1 2)", "#set($x = 1 + )", "#set($x = (1)", "#if($t = 1)a#end", "#elseif", "#set($x = null)", "#if(t)a#end",
    "#IF($t)a#end", "#If($t)a", "${s.}", "${s.length( }", "$!{", "$!{s", "${s }", "#set($x = [1..])", "#set($x = [1...2])",
    "#set($x += 1)", "#set($x=1", "#if($t", "#if($t) a #elseif b #end",
];

/// What marks and words stand side by side in [`short`].
#[rustfmt::skip]
const ATOMS: Choice<'_> = &[
    "$", "!", "#", "\\", "s", ".", "{", "}", "(", ")", "[0]", "[", "$s", "${s}", "$s.k", "$m.k", "$s.length()", "$l[0]", "$u",
    "#if($t)x#end", "#set($x=1)", "#foo", "##", "#* c *#", "#[[c]]#", " ", "\n", "a", "-", "\"", "#end", "1", "*", "#stop",
    "#foo($s)",
];

/// Every way to put three of the atoms side by side.
pub fn short() -> impl Iterator<Item = String> {
    let pairs = || ATOMS.iter().flat_map(|one| ATOMS.iter().map(move |two| [*one, *two].concat()));
    pairs().flat_map(|pair| ATOMS.iter().map(move |last| pair.clone() + last))
}

/// Whether a template has nothing in it that is left out on purpose; what characters at random do to one can put it there.
pub fn is_common(template: &str) -> bool {
    let bare = template.replace(['{', '}', '@'], "");
    let never = ["#macro", "#include", "#parse", "#evaluate", "hashCode", "class", ".bytes"];
    // A key that is no text.
    let keys = template.split('{').skip(1).chain(template.split(',').skip(1)).map(str::trim_start);
    let odd_key = |rest: &str| rest.split_once(':').is_some_and(|(key, _)| key.trim_end().parse::<f64>().is_ok());
    let long_range = template.split("..").skip(1).any(|end| {
        let end = end.trim_start_matches([' ', '-', '0']);
        end.chars().take_while(char::is_ascii_digit).count() > 2
    });
    !never.iter().any(|word| bare.contains(word)) && !keys.into_iter().any(odd_key) && !long_range
}

// === impl Writer ===

impl Writer {
    /// The template of a number.
    pub fn template(number: u64) -> String {
        let mut writer = Self { state: (number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15), out: String::new() };
        for _ in 0..8 {
            writer.next();
        }
        let depth = 1 + number % 3;
        writer.body(depth);
        if writer.one_in(12) {
            writer.choose(BROKEN);
            writer.body(1);
        }
        // A mark at the very end does not parse, and would hide the rest.
        if writer.out.ends_with(['$', '#', '!', '*']) && !writer.one_in(5) {
            writer.put(" ");
        }
        if writer.one_in(8) { writer.torn() } else { writer.out }
    }

    /// The template with some characters lost, doubled or moved.
    fn torn(mut self) -> String {
        let mut characters: Vec<char> = self.out.chars().collect();
        for _ in 0..=self.below(2) {
            if characters.is_empty() {
                break;
            }
            let at = self.below(characters.len());
            match self.below(3) {
                0 => {
                    characters.remove(at);
                }
                1 => characters.insert(at, characters[at]),
                _ => {
                    let character = characters.remove(at);
                    let to = self.below(characters.len() + 1);
                    characters.insert(to, character);
                }
            }
        }
        characters.into_iter().collect()
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn choose(&mut self, choice: Choice<'_>) {
        let text = choice[self.below(choice.len())];
        self.put(text);
    }

    fn spaces(&mut self) {
        self.choose(SPACES);
    }

    /// A blank, now and then more.
    fn blank(&mut self) {
        self.choose(&[" ", " ", " ", " ", " ", "  ", "\t", "\n"]);
    }

    fn body(&mut self, depth: u64) {
        for _ in 0..=self.below(4) {
            match self.below(10) {
                0..=2 => self.choose(TEXTS),
                3..=5 => self.reference(),
                6 => self.choose(COMMENTS),
                _ => self.directive(depth),
            }
        }
    }

    fn reference(&mut self) {
        if self.one_in(8) {
            self.choose(&["\\", "\\\\", "\\\\\\", "$", "#", "-"]);
        }
        self.put("$");
        if self.one_in(5) {
            self.put("!");
        }
        let formal = self.one_in(4);
        if formal {
            self.put("{");
        }
        self.choose(ROOTS);
        while self.one_in(2) {
            match self.below(3) {
                0 => self.choose(PROPERTIES),
                1 => self.choose(INDEXES),
                _ => self.method(),
            }
        }
        if formal {
            self.put("}");
        }
        if self.one_in(6) {
            self.choose(&[".", "..", "-", "_", "()", "[", "[0]", ".x", "!", "\"", "}", "a", "1", "#", "$"]);
        }
    }

    fn method(&mut self) {
        let method = METHODS[self.below(METHODS.len())];
        for (index, part) in method.split('%').enumerate() {
            if index > 0 {
                self.scalar();
            }
            self.put(part);
        }
    }

    /// What can be put into a list without it being the list.
    fn scalar(&mut self) {
        match self.below(6) {
            0..=2 => self.choose(TEXT_LITERALS),
            3 => self.choose(NUMBER_LITERALS),
            4 => self.choose(&["true", "false"]),
            _ => {
                self.put("$");
                self.choose(SCALARS);
            }
        }
    }

    fn plain_reference(&mut self) {
        self.choose(&["$", "$", "$", "$!"]);
        let formal = self.one_in(6);
        if formal {
            self.put("{");
        }
        self.choose(ROOTS);
        if self.one_in(3) {
            match self.below(3) {
                0 => self.choose(PROPERTIES),
                1 => self.choose(INDEXES),
                _ => self.method(),
            }
        }
        if formal {
            self.put("}");
        }
    }

    fn expression(&mut self, depth: u64) {
        if depth == 0 {
            match self.below(3) {
                0 => self.plain_reference(),
                _ => self.scalar(),
            }
            return;
        }
        match self.below(12) {
            0..=1 => self.plain_reference(),
            2 => self.scalar(),
            3..=4 => {
                self.number();
                for _ in 0..=self.below(2) {
                    self.choose(OPERATORS);
                    self.number();
                }
            }
            5 => {
                self.expression(depth - 1);
                self.choose(OPERATORS);
                self.expression(depth - 1);
            }
            6 => {
                self.put("(");
                self.spaces();
                self.expression(depth - 1);
                self.spaces();
                self.put(")");
            }
            7 => self.list(depth),
            8 => self.map(depth),
            9 => self.range(),
            _ => self.condition(depth),
        }
    }

    fn number(&mut self) {
        match self.below(4) {
            0 => self.choose(&["$n", "$z", "$neg", "$big", "$long", "$x", "$foreach.count", "$l.size()", "$num"]),
            _ => self.choose(NUMBER_LITERALS),
        }
    }

    fn list(&mut self, depth: u64) {
        self.put("[");
        let count = self.below(4);
        for index in 0..count {
            if index > 0 {
                self.choose(&[",", ", ", " , ", ",\n"]);
            }
            match self.below(5) {
                0 if depth > 0 => self.list(depth - 1),
                1 if depth > 0 => self.map(depth - 1),
                _ => self.scalar(),
            }
        }
        self.put("]");
    }

    fn map(&mut self, depth: u64) {
        self.put("{");
        let count = self.below(4);
        for index in 0..count {
            if index > 0 {
                self.choose(&[",", ", ", " , ", ",\n "]);
            }
            self.choose(&["\"a\"", "'b'", "\"c\"", "'k'", "\"$s\"", "$s", "\"a b\""]);
            self.choose(&[":", ": ", " : "]);
            match self.below(5) {
                0 if depth > 0 => self.list(depth - 1),
                1 if depth > 0 => self.map(depth - 1),
                _ => self.scalar(),
            }
        }
        self.put("}");
    }

    fn range(&mut self) {
        let ends: Choice<'_> = &["0", "1", "2", "3", "5", "-2", "-1", "$n", "$z", "$neg", "$s", "$u", "$l.size()"];
        self.choose(&["[", "[", "[ "]);
        self.choose(ends);
        self.choose(&["..", "..", "..", " .. "]);
        self.choose(ends);
        self.choose(&["]", "]", "]", " ]"]);
    }

    fn condition(&mut self, depth: u64) {
        match self.below(8) {
            0 => self.choose(&["true", "false"]),
            1 => self.plain_reference(),
            2 => {
                self.choose(&["!", "!", "! ", "not "]);
                self.plain_reference();
            }
            3 if depth > 0 => {
                self.condition(depth - 1);
                self.choose(CONNECTIVES);
                self.condition(depth - 1);
            }
            4 if depth > 0 => {
                self.choose(&["(", "( ", "!(", "!( "]);
                self.condition(depth - 1);
                self.choose(&[")", " )"]);
            }
            _ => {
                let one = depth.saturating_sub(1).min(1);
                self.expression(one);
                self.choose(COMPARISONS);
                self.expression(one);
            }
        }
    }

    fn end(&mut self) {
        self.choose(BEFORE);
        self.choose(&["#end", "#end", "#end", "#end", "#{end}"]);
        self.choose(AFTER);
    }

    fn open(&mut self, name: &str) {
        self.choose(BEFORE);
        if self.one_in(10) {
            self.put(&format!("#{{{name}}}"));
        } else {
            self.put(&format!("#{name}"));
        }
        self.choose(&["(", "(", "(", "(", " (", "( "]);
    }

    fn close(&mut self) {
        self.choose(&[")", ")", ")", " )"]);
        self.choose(AFTER);
    }

    fn directive(&mut self, depth: u64) {
        let nested = depth > 0;
        match self.below(10) {
            0..=3 => self.set(),
            4..=5 if nested => self.conditional(depth - 1),
            6..=7 if nested => self.loops(depth - 1),
            8 if nested => {
                self.open("define");
                self.choose(&["$d", "$d", "$D", "$x", "${d}", "$!d", "$d.a"]);
                self.close();
                self.body(depth - 1);
                self.end();
            }
            9 if self.one_in(3) => {
                self.choose(BEFORE);
                self.choose(&["#stop", "#break", "#break", "#{stop}", "#{break}", "#stop()", "#break ", "#stop\n", "#break\n"]);
            }
            _ => self.set(),
        }
    }

    fn set(&mut self) {
        self.open("set");
        let member = self.one_in(5);
        if member {
            self.choose(&[
                "$m.k",
                "$m[\"k\"]",
                "$m['new']",
                "$m.m.z",
                "$l[0]",
                "$l[1]",
                "$l[-1]",
                "$em.a",
                "$u.a",
                "$s.a",
                "$m.zz.y",
                "$x.a",
                "$x[0]",
                "$lm[0].k",
                "${m.k}",
                "$!m.k",
                "$m[$s]",
                "$el[0]",
                "$n.a",
            ]);
        } else {
            self.choose(&["$x", "$x", "$y", "$v", "$x", "$i", "${x}", "$!y", "$!{v}", "$s", "$n"]);
        }
        self.choose(&[" = ", " = ", "=", " =", "= ", "\n=\n", "  =  "]);
        if member {
            self.scalar();
        } else {
            let depth = self.below(4) as u64;
            self.expression(depth);
        }
        self.close();
    }

    fn conditional(&mut self, depth: u64) {
        self.open("if");
        self.condition(2);
        self.close();
        self.body(depth);
        while self.one_in(4) {
            self.open("elseif");
            self.condition(1);
            self.close();
            self.body(depth);
        }
        if self.one_in(2) {
            self.choose(BEFORE);
            self.choose(&["#else", "#else", "#{else}", "#else()"]);
            self.choose(AFTER);
            self.body(depth);
        }
        self.end();
    }

    fn loops(&mut self, depth: u64) {
        self.open("foreach");
        self.choose(&["$i", "$i", "$j", "$x", "${i}", "$!i", "$i.a"]);
        self.blank();
        self.put("in");
        self.blank();
        match self.below(6) {
            0 => self.range(),
            1 => self.list(1),
            2 => self.map(1),
            3 => self.choose(&["$l", "$ll", "$lm", "$m", "$el", "$em", "$u", "$s", "$n", "$i", "$j", "$x", "$m.nil"]),
            4 => self.choose(&[
                "$m.keySet()",
                "$m.entrySet()",
                "$m.values()",
                "$ll[0]",
                "$m.l",
                "$m[\"l\"]",
                "$dotted.split(\",\")",
                "$l.subList(0, 2)",
            ]),
            _ => self.scalar(),
        }
        self.close();
        self.body(depth);
        if self.one_in(2) {
            self.choose(&[
                "$i",
                "$i$j",
                "$foreach.count",
                "$foreach.index",
                "#if($foreach.hasNext),#end",
                "#if($foreach.first)[#end",
                "#if($foreach.last)]#end",
                "$velocityCount",
                "$foreach.parent.index",
                "#if($foreach.count == 2)#break#end",
                "$i.k",
                "$i.key=$i.value",
                "$foreach.topmost.count",
                "$velocityHasNext",
            ]);
        }
        self.end();
    }
}
