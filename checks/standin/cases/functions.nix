# Functions of lib, value by value. A case is one function; a list where several calls are worth seeing.
{ lib }:
let
  drv = {
    type = "derivation";
    name = "tool-1.2";
    outPath = "/o";
  };
in
{
  # strings
  concatImapStringsSep = lib.concatImapStringsSep "-" (i: s: s + toString i) [
    "a"
    "b"
  ];
  concatLines = lib.concatLines [
    "a"
    "b"
  ];
  concatMapAttrsStringSep = lib.concatMapAttrsStringSep ";" (n: v: "${n}=${toString v}") {
    a = 1;
    b = 2;
  };
  concatMapStringsSep = lib.concatMapStringsSep "," toString [
    1
    2
  ];
  escape = lib.escape [ "$" ] "a$b";
  escapeNixIdentifier = map lib.strings.escapeNixIdentifier [
    "a"
    "a-b"
    "1a"
    "a b"
    "with"
    "a.b"
    "_x'"
  ];
  escapeNixString = lib.strings.escapeNixString "a\"b\${c}\n";
  escapeRegex = lib.escapeRegex "a.b[c";
  escapeShellArg = map lib.escapeShellArg [
    "a b'c"
    "plain-1.2/x"
    ""
    "a=b"
    "$x"
  ];
  escapeShellArgs = lib.escapeShellArgs [
    "a"
    "b c"
  ];
  escapeXML = lib.escapeXML "<a href='x'>&\"";
  fixedWidthNumber = lib.fixedWidthNumber 3 7;
  fixedWidthString = lib.fixedWidthString 5 "0" "42";
  fixedWidthString-too-long = lib.fixedWidthString 1 "0" "42";
  hasInfix = [
    (lib.hasInfix "b.c" "ab.cd")
    (lib.hasInfix "b.c" "abxcd")
    (lib.hasInfix "" "abc")
  ];
  hasPrefix = [
    (lib.hasPrefix "a" "abc")
    (lib.hasPrefix "b" "abc")
  ];
  hasSuffix = [
    (lib.hasSuffix "x" "")
    (lib.hasSuffix "c" "abc")
  ];
  intersperse = lib.intersperse "/" [
    "a"
    "b"
    "c"
  ];
  isValidPosixName = map lib.isValidPosixName [
    "a-b"
    "a_b"
    "1a"
  ];
  makeBinPath = lib.makeBinPath [
    "/x"
    null
    "/y"
  ];
  makeSearchPathOutput = lib.makeSearchPathOutput "bin" "sbin" [
    "/x"
    drv
  ];
  optionalString = [
    (lib.optionalString false "x")
    (lib.optionalString true "x")
  ];
  removePrefix = [
    (lib.removePrefix "ab" "abc")
    (lib.removePrefix "x" "abc")
  ];
  fileContents = lib.fileContents (builtins.toFile "two-lines" "one\n\n");
  removeSuffix = [
    (lib.removeSuffix ".nix" "x.nix")
    (lib.removeSuffix ".x" "y")
  ];
  splitString = [
    (lib.splitString "." "a.b..c")
    (lib.splitString "+" "a+b")
    (lib.splitString "." "")
  ];
  stringToCharacters = lib.stringToCharacters "abc";
  toInt = map lib.toInt [
    "42"
    " 7 "
    "-3"
  ];
  toInt-leading-zero = lib.toInt "007";
  toInt-word = lib.toInt "x";
  toInt-empty = lib.toInt "";
  toIntBase10 = map lib.toIntBase10 [
    "007"
    "42"
  ];
  toLower = lib.toLower "aZ9É";
  toSentenceCase = lib.toSentenceCase "heLLo";
  toShellVar = [
    (lib.toShellVar "a" "x y")
    (lib.toShellVar "l" [
      "1"
      "2 3"
    ])
    (lib.toShellVar "s" { k = "v w"; })
  ];
  toUpper = lib.toUpper "aZ9é";
  trim = map lib.trim [
    "  a b \n"
    "   "
    ""
  ];
  versionAtLeast = [
    (lib.versionAtLeast "2.10.1" "2.9")
    (lib.versionAtLeast "2.9" "2.10")
  ];
  versionOlder = [
    (lib.versionOlder "2.10" "2.10.1")
    (lib.versionOlder "2.10" "2.10")
  ];
  getName = map lib.getName [
    "tool-1.2"
    drv
    (drv // { pname = "p"; })
  ];
  getVersion = map lib.getVersion [
    "tool-1.2"
    drv
    (drv // { version = "3"; })
  ];
  versions = [
    (lib.versions.major "2.15.1")
    (lib.versions.minor "2.15.1")
    (lib.versions.patch "2.15.1")
    (lib.versions.majorMinor "2.15.1")
    (lib.versions.pad 3 "1.2")
    (lib.versions.pad 3 "1.2-rc1")
  ];

  # lists
  allUnique = [
    (lib.allUnique [
      1
      1
    ])
    (lib.allUnique [
      1
      2
    ])
  ];
  compareLists = [
    (lib.compareLists lib.compare [ 1 2 ] [ 1 3 ])
    (lib.compareLists lib.compare [ 1 ] [ ])
  ];
  count = lib.count (x: x > 1) [
    1
    2
    3
  ];
  drop = [
    (lib.drop 1 [
      1
      2
      3
    ])
    (lib.drop 9 [ 1 ])
  ];
  findFirst = [
    (lib.findFirst (x: x > 1) null [
      1
      2
      3
    ])
    (lib.findFirst (x: x > 9) null [ 1 ])
  ];
  findSingle = [
    (lib.findSingle (x: x == 1) "none" "many" [
      1
      2
    ])
    (lib.findSingle (x: x == 1) "none" "many" [
      1
      1
    ])
  ];
  flatten = lib.flatten [
    1
    [
      2
      [ 3 ]
    ]
  ];
  foldl = lib.foldl (a: b: a + b) "" [
    "a"
    "b"
  ];
  foldr = lib.foldr (a: b: a + b) "" [
    "a"
    "b"
  ];
  imap1 =
    lib.imap1
      (i: v: [
        i
        v
      ])
      [
        "a"
        "b"
      ];
  init = lib.init [
    1
    2
  ];
  intersectLists = lib.intersectLists [ 1 2 ] [ 2 3 ];
  last = lib.last [
    1
    2
  ];
  last-empty = lib.last [ ];
  mutuallyExclusive = lib.mutuallyExclusive [ 1 2 ] [ 2 3 ];
  naturalSort = lib.naturalSort [
    "v10"
    "v9"
    "a"
  ];
  optional = [
    (lib.optional true 1)
    (lib.optional false 1)
  ];
  optionals = [
    (lib.optionals true [ 1 ])
    (lib.optionals false [ 1 ])
  ];
  partition = lib.partition (x: x > 2) [
    1
    2
    3
  ];
  range = [
    (lib.range 2 5)
    (lib.range 5 2)
  ];
  remove = lib.remove 2 [
    1
    2
    3
    2
  ];
  replicate = lib.replicate 2 "a";
  reverseList = lib.reverseList [
    1
    2
    3
  ];
  sortOn = lib.sortOn builtins.stringLength [
    "aaa"
    "b"
    "cc"
  ];
  sublist = lib.sublist 1 2 [
    1
    2
    3
    4
  ];
  subtractLists = lib.subtractLists [ 1 ] [ 1 2 ];
  take = lib.take 9 [
    1
    2
  ];
  takeEnd = lib.takeEnd 2 [
    1
    2
    3
  ];
  toList = [
    (lib.toList 1)
    (lib.toList [ 1 ])
  ];
  unique = lib.unique [
    1
    2
    1
    3
    2
  ];
  zipLists = lib.zipLists [ 1 2 ] [ "a" "b" "c" ];
  zipListsWith = lib.zipListsWith (a: b: a + b) [ 1 2 3 ] [ 10 20 ];

  # attribute sets
  attrByPath = [
    (lib.attrByPath [ "a" "b" ] 9 { a.b = 1; })
    (lib.attrByPath [ "a" "z" ] 9 { a = 1; })
  ];
  attrsToList = lib.attrsToList { a = 1; };
  cartesianProduct = lib.cartesianProduct {
    a = [
      1
      2
    ];
    b = [
      3
      4
    ];
  };
  collect = lib.collect lib.isInt {
    a = 1;
    b.c = 2;
  };
  concatMapAttrs = lib.concatMapAttrs (n: v: {
    ${n} = v;
    ${n + "2"} = v;
  }) { a = 1; };
  filterAttrs = lib.filterAttrs (_: v: v > 1) {
    a = 1;
    b = 2;
  };
  filterAttrsRecursive = lib.filterAttrsRecursive (_: v: v != null) {
    a = null;
    b.c = null;
    b.d = 1;
  };
  foldAttrs =
    lib.foldAttrs (item: acc: [ item ] ++ acc)
      [ ]
      [
        { a = 2; }
        {
          a = 3;
          b = 4;
        }
      ];
  foldlAttrs =
    lib.foldlAttrs
      (
        a: n: v:
        a + n + toString v
      )
      ""
      {
        a = 1;
        b = 2;
      };
  genAttrs = lib.genAttrs [ "a" "b" ] (n: n + "1");
  getAttrFromPath = lib.getAttrFromPath [ "a" "b" ] { a.b = 1; };
  getAttrs = lib.getAttrs [ "a" ] {
    a = 1;
    b = 2;
  };
  hasAttrByPath = [
    (lib.hasAttrByPath [ "a" "b" ] { a = 1; })
    (lib.hasAttrByPath [ "a" ] { a = 1; })
  ];
  mapAttrs' = lib.mapAttrs' (n: v: lib.nameValuePair "x${n}" v) { a = 1; };
  mapAttrsRecursive = lib.mapAttrsRecursive (p: v: lib.concatStringsSep "." p + toString v) {
    a = 1;
    b.c = 2;
  };
  mergeAttrsList = lib.mergeAttrsList [
    { a = 1; }
    {
      a = 2;
      b = 1;
    }
  ];
  recursiveUpdate = [
    (lib.recursiveUpdate
      {
        a.b = 1;
        a.c = [ 1 ];
        d = 1;
      }
      {
        a.c = [ 2 ];
        a.e = 3;
        d.x = 1;
      }
    )
    (lib.recursiveUpdate { a = 1; } { a = { }; })
  ];
  setAttrByPath = lib.setAttrByPath [ "a" "b" ] 1;
  showAttrPath = lib.showAttrPath [
    "a"
    "b.c"
  ];
  unionOfDisjoint = lib.attrsets.unionOfDisjoint { a = 1; } { b = 2; };
  unionOfDisjoint-collision = lib.attrsets.unionOfDisjoint { a = 1; } { a = 2; };
  zipAttrs = lib.zipAttrs [
    { a = 1; }
    {
      a = 2;
      b = 3;
    }
  ];

  # the rest
  assertMsg = lib.assertMsg false "no";
  boolToString = lib.boolToString true;
  callPackageWith =
    (lib.callPackageWith
      {
        a = 1;
        b = 2;
      }
      (
        {
          a,
          c ? 5,
        }:
        {
          inherit a c;
        }
      )
      { c = 3; }
    ).c;
  callPackageWith-override =
    ((lib.callPackageWith { a = 1; } ({ a }: { inherit a; }) { }).override { a = 4; }).a;
  compare = [
    (lib.compare 1 2)
    (lib.compare "b" "a")
    (lib.compare 1 1)
  ];
  composeManyExtensions =
    (lib.fix (
      lib.extends
        (lib.composeManyExtensions [
          (_: p: { a = p.a + 1; })
          (_: p: { a = p.a * 10; })
        ])
        (_: {
          a = 1;
        })
    )).a;
  defaultTo = lib.defaultTo 1 null;
  functionArgs = lib.functionArgs (
    {
      a,
      b ? 1,
    }:
    a + b
  );
  getExe = map lib.getExe [
    drv
    (drv // { meta.mainProgram = "prog"; })
  ];
  getExe' = lib.getExe' drv "p";
  getExe'-nested = lib.getExe' drv "a/b";
  isDerivation = [
    (lib.isDerivation drv)
    (lib.isDerivation { })
  ];
  isStorePath = map lib.isStorePath [
    "/nix/store/d945ibfx9x185xf04b890y4f9g3cbb63-python-2.7.11"
    "/nix/store/d945ibfx9x185xf04b890y4f9g3cbb63-python-2.7.11/bin"
    "/etc"
  ];
  mapNullable = [
    (lib.mapNullable (x: x + 1) 1)
    (lib.mapNullable (x: x + 1) null)
  ];
  mod = [
    (lib.mod 11 10)
    (lib.mod (-3) 2)
  ];
  pipe = lib.pipe 1 [
    (x: x + 1)
    toString
  ];
  showOption = lib.showOption [
    "a"
    "b c"
    "d.e"
    "<name>"
    "*"
    "if"
  ];
  throwIf = lib.throwIf true "no" 1;
  throwIfNot = lib.throwIfNot true "no" 1;
  toKeyValue = lib.generators.toKeyValue { } {
    a = 1;
    b = true;
    c = "x y";
    d = null;
    f = 1.5;
  };
  toKeyValue-lists = lib.generators.toKeyValue { listsAsDuplicateKeys = true; } {
    a = [
      1
      2
    ];
  };
  toINI = lib.generators.toINI { } {
    s = {
      a = 1;
    };
    t = {
      b = "x";
    };
  };
  toJSON = lib.generators.toJSON { } { a = [ 1 ]; };
  toPretty-one-line = map (lib.generators.toPretty { multiline = false; }) [
    1
    "a"
    true
    null
    [ ]
    { }
    [ 1 ]
    { a = 1; }
  ];
  systems = (lib.systems.elaborate "aarch64-linux").isAarch64;
}
