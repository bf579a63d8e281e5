# The module system: each case evaluates modules, and its value or its failure is what nixpkgs' lib gives.
{ lib }:
let
  inherit (builtins) attrNames genList;
  inherit (lib)
    evalModules
    id
    mkAfter
    mkBefore
    mkDefault
    mkEnableOption
    mkForce
    mkIf
    mkMerge
    mkOption
    mkOptionDefault
    mkOrder
    mkRemovedOptionModule
    mkRenamedOptionModule
    toUpper
    types
    ;
  evaluate = modules: (evalModules { inherit modules; }).config;
  option = type: mkOption { inherit type; };
  withDefault = type: default: mkOption { inherit type default; };
  # one option `x` of that type, defined by each of the values in a module of its own
  merged =
    type: values: (evaluate ([ { options.x = option type; } ] ++ map (x: { inherit x; }) values)).x;
  # what documentation shows, without the `_module` of every submodule
  documented =
    modules:
    map
      (entry: {
        inherit (entry)
          name
          type
          readOnly
          visible
          ;
      })
      (
        builtins.filter (entry: !entry.internal) (
          lib.optionAttrSetToDocList (removeAttrs (evalModules { inherit modules; }).options [ "_module" ])
        )
      );
in
{
  priorities = merged types.int [
    (mkDefault 1)
    2
    (mkOptionDefault 3)
  ];
  mkForce-wins = merged types.int [
    1
    (mkForce 2)
    (mkDefault 3)
  ];
  int-conflict = merged types.int [
    1
    2
  ];
  int-equal = merged types.int [
    1
    1
  ];
  list-order = merged (types.listOf types.str) [
    [ "m" ]
    (mkAfter [ "z" ])
    (mkBefore [ "a" ])
    (mkOrder 1200 [ "q" ])
    [ "n" ]
  ];
  list-if = merged (types.listOf types.int) [
    [
      1
      (mkIf false 2)
      (mkIf true 3)
    ]
    (mkIf false [ 9 ])
    (mkMerge [
      [ 4 ]
      (mkIf true [ 5 ])
    ])
  ];
  attrs-if = merged (types.attrsOf types.int) [
    {
      a = mkIf true 1;
      b = mkIf false 2;
    }
    (mkIf true { c = mkForce 3; })
    { c = 4; }
  ];
  lazyattrs = attrNames (
    merged (types.lazyAttrsOf types.int) [
      {
        a = 1;
        b = mkIf false 2;
      }
    ]
  );
  nested-mkIf-config = evaluate [
    {
      options.a.b.c = withDefault types.int 0;
      options.a.d = withDefault types.str "";
    }
    {
      config = mkIf true {
        a = mkMerge [
          { b.c = 5; }
          (mkIf false { b.c = 6; })
          { d = "x"; }
        ];
      };
    }
  ];
  undeclared = evaluate [
    { options.a = withDefault types.int 1; }
    { b = 2; }
  ];
  undeclared-nested = evaluate [
    { options.a.b = withDefault types.int 1; }
    { a.c = 2; }
  ];
  undefined = evaluate [ { options.a = option types.int; } ];
  freeform = evaluate [
    {
      freeformType = types.attrsOf types.int;
      options.a = withDefault types.int 1;
    }
    { b = 2; }
    {
      c = mkIf false 3;
      d = mkDefault 4;
    }
  ];
  freeform-nested = evaluate [
    {
      freeformType = types.attrsOf types.anything;
      options.s.port = withDefault types.port 80;
    }
    {
      s.extra = {
        y = [ 1 ];
      };
      t = 1.5;
    }
  ];
  freeform-type-error = evaluate [
    { freeformType = types.attrsOf types.int; }
    { b = "s"; }
  ];
  submodule-name =
    merged
      (types.attrsOf (
        types.submodule (
          { name, config, ... }: {
            options = {
              n = withDefault types.str name;
              up = withDefault types.str (toUpper config.n);
            };
          }
        )
      ))
      [
        {
          foo = { };
          bar.n = "baz";
        }
        { foo.up = "forced"; }
      ];
  submodule-list =
    merged
      (types.listOf (
        types.submodule {
          options.p = withDefault types.port 1;
          options.l = withDefault (types.listOf types.int) [ ];
        }
      ))
      [
        [
          { p = 5; }
          { l = [ 1 ]; }
        ]
        [ { } ]
      ];
  submodule-fn-def =
    merged
      (types.submodule {
        options.a = withDefault types.int 1;
        options.b = option types.int;
      })
      [
        ({ config, ... }: { b = config.a + 1; })
        { a = mkForce 10; }
      ];
  submodule-freeform =
    merged
      (types.submodule {
        freeformType = types.attrsOf (
          types.oneOf [
            types.int
            types.str
            (types.listOf types.str)
          ]
        );
        options.port = withDefault types.port 4222;
      })
      [
        {
          host = "h";
          tags = [ "a" ];
        }
        { tags = [ "b" ]; }
      ];
  submodule-typo = merged (types.submodule { options.a = withDefault types.int 1; }) [ { aa = 1; } ];
  port-range = merged types.port [ 65536 ];
  between = merged (types.ints.between 1 5) [ 5 ];
  positive0 = merged types.ints.positive [ 0 ];
  enum = merged (types.enum [
    "file"
    "memory"
  ]) [ "memory" ];
  enum-bad = merged (types.enum [
    "file"
    "memory"
  ]) [ "disk" ];
  nullOr-mixed = merged (types.nullOr types.int) [
    null
    1
  ];
  nullOr-force = merged (types.nullOr types.int) [
    (mkDefault null)
    1
  ];
  either-merge = merged (types.either types.int (types.listOf types.int)) [
    [ 1 ]
    [ 2 ]
  ];
  either-conflict = merged (types.either types.int types.str) [
    1
    "a"
  ];
  lines = merged types.lines [
    "a"
    (mkBefore "b")
    (mkAfter "c")
  ];
  sepstr = merged (types.separatedString ":") [
    "a"
    "b"
  ];
  str-conflict = merged types.str [
    "a"
    "b"
  ];
  anything-merge = merged types.anything [
    {
      a.b = 1;
      l = [ 1 ];
    }
    { a.c = mkDefault 2; }
    { a.c = 3; }
  ];
  anything-list-conflict = merged types.anything [
    { l = [ 1 ]; }
    { l = [ 2 ]; }
  ];
  raw-twice = merged types.raw [
    1
    1
  ];
  apply =
    (evaluate [
      {
        options.x = mkOption {
          type = types.listOf types.int;
          apply = map (i: i * 2);
          default = [ 1 ];
        };
      }
      { x = [ 2 ]; }
    ]).x;
  readOnly =
    (evaluate [
      {
        options.x = mkOption {
          type = types.int;
          readOnly = true;
          default = 1;
        };
      }
      { x = 2; }
    ]).x;
  module-args = evaluate [
    ({ foo, ... }: { options.x = withDefault types.str foo; })
    { _module.args.foo = "bar"; }
  ];
  imports-dedupe =
    (evaluate [
      ./imported/declares.nix
      ./imported/declares.nix
      { imports = [ ./imported/declares.nix ]; }
    ]).list;
  imports-order =
    (evaluate [
      {
        imports = [
          {
            imports = [ { l = [ 3 ]; } ];
            l = [ 2 ];
          }
        ];
        l = [ 1 ];
      }
      { options.l = option (types.listOf types.int); }
      { l = [ 4 ]; }
    ]).l;
  disabled = evaluate [
    { disabledModules = [ ./imported/defines.nix ]; }
    ./imported/imports.nix
    { options.list = withDefault (types.listOf types.int) [ ]; }
  ];
  two-decl-submodule =
    merged (types.submodule { options.a = withDefault types.int 1; }) [ ]
    // (evaluate [
      { options.s = withDefault (types.submodule { options.a = withDefault types.int 1; }) { }; }
      { options.s = option (types.submodule { options.b = withDefault types.int 2; }); }
    ]).s;
  two-decl-attrsof-sub = evaluate [
    {
      options.s = withDefault (types.attrsOf (
        types.submodule { options.a = withDefault types.int 1; }
      )) { };
    }
    { options.s = option (types.attrsOf (types.submodule { options.b = withDefault types.int 2; })); }
    { s.k.b = 7; }
  ];
  two-decl-conflict = evaluate [
    { options.s = withDefault types.int 1; }
    { options.s = option types.str; }
  ];
  two-enum-merge = evaluate [
    { options.e = option (types.enum [ "a" ]); }
    { options.e = option (types.enum [ "b" ]); }
    { e = "b"; }
  ];
  config-dep-option = evaluate [
    { options.n = withDefault types.int 2; }
    ({ config, ... }: {
      options.l = option (types.listOf types.int);
      config.l = genList id config.n;
    })
    { n = mkForce 4; }
  ];
  mkIf-config-cycle-free = evaluate [
    {
      options.en = withDefault types.bool false;
      options.v = withDefault types.int 0;
    }
    ({ config, ... }: mkIf config.en { v = 1; })
    { en = true; }
  ];
  coerced = merged (types.coercedTo types.int toString types.str) [ 5 ];
  package-bad = merged types.package [ "notastorepath" ];
  path = merged types.path [ "/var/lib/nats" ];
  path-rel = merged types.path [ "var/lib" ];
  strMatching = merged (types.strMatching "[A-Z]+") [ "abc" ];
  nonempty = merged (types.nonEmptyListOf types.int) [ [ ] ];
  uniq = merged (types.uniq (types.listOf types.int)) [
    [ 1 ]
    [ 2 ]
  ];
  toplevel-mixed = evaluate [
    {
      options.a = withDefault types.int 1;
      b = 2;
    }
  ];
  mkMerge-module = evaluate [
    { options.a = withDefault types.int 1; }
    (mkMerge [
      { a = 2; }
      (mkIf false { a = 3; })
    ])
  ];
  override-attrs-level = evaluate [
    {
      options.a.x = withDefault types.int 1;
      options.a.y = withDefault types.int 1;
    }
    { a = mkForce { x = 5; }; }
    {
      a.x = 6;
      a.y = 7;
    }
  ];
  extendModules =
    let
      e = evalModules { modules = [ { options.a = withDefault types.int 1; } ]; };
    in
    [
      e.config.a
      (e.extendModules { modules = [ { a = 9; } ]; }).config.a
    ];
  option-values =
    let
      e = evalModules {
        modules = [
          { options.a = withDefault types.int 1; }
          {
            a = mkForce 3;
            _file = "f.nix";
          }
        ];
      };
    in
    {
      inherit (e.options.a)
        value
        isDefined
        highestPrio
        files
        ;
      d = e.options.a.definitions;
    };
  specialArgs =
    (evalModules {
      specialArgs.z = 4;
      modules = [
        ({ z, ... }: { imports = if z == 4 then [ { options.q = withDefault types.int z; } ] else [ ]; })
      ];
    }).config;
  freeform-submodule-attrs =
    merged (types.attrsOf (types.submodule { freeformType = (types.attrsOf types.str); }))
      [
        {
          a = {
            k = "v";
          };
        }
        {
          a = {
            k2 = mkIf false "x";
            k3 = mkForce "w";
          };
        }
      ];
  mkRenamed =
    evaluate [
      (mkRenamedOptionModule [ "old" ] [ "new" ])
      {
        options.new = withDefault types.int 1;
        options.warnings = withDefault (types.listOf types.str) [ ];
      }
      { old = 5; }
    ]
    // {
      warnings = [ ];
    };
  mkEnable = merged (mkEnableOption "x").type [ true ] && !(mkEnableOption "x").default;
  bool-of-int = merged types.bool [ 1 ];
  functionTo =
    (merged (types.functionTo (types.listOf types.int)) [
      (x: [ x ])
      (x: [ (x + 1) ])
    ])
      1;
  empty-submodule-default = evaluate [
    { options.s = withDefault (types.submodule { options.a = withDefault types.int 1; }) { }; }
  ];
  submodule-no-default = evaluate [
    { options.s = option (types.submodule { options.a = withDefault types.int 1; }); }
  ];
  defs-in-list-of-attrs = merged (types.listOf (types.attrsOf types.int)) [
    [
      {
        a = mkIf true 1;
        b = mkIf false 2;
      }
    ]
  ];
  attrsOf-listOf-order = merged (types.attrsOf (types.listOf types.str)) [
    { a = mkAfter [ "z" ]; }
    { a = [ "m" ]; }
    { a = mkBefore [ "b" ]; }
  ];
  nested-decl-under-option = evaluate [
    { options.s = withDefault (types.submodule { options.a = withDefault types.int 1; }) { }; }
    { options.s.b = withDefault types.int 2; }
  ];
  float-int = merged types.float [ 1 ];
  number = merged types.number [ 1 ];
  singleLine = merged types.singleLineStr [ "a\n" ];
  module-path-string = (evaluate [ (toString ./imported/declares.nix) ]).list;
  key-dedupe =
    (evaluate [
      { options.l = option (types.listOf types.int); }
      {
        key = "k";
        l = [ 1 ];
      }
      {
        key = "k";
        l = [ 2 ];
      }
    ]).l;
  type-desc = map (t: t.description) [
    types.str
    (types.listOf types.str)
    (types.attrsOf types.int)
    (types.nullOr types.port)
    types.bool
  ];
  mkIf-nonbool = merged types.int [ (mkIf "x" 1) ];
  check-off =
    (evaluate [
      {
        options.a = withDefault types.int 1;
        _module.check = false;
      }
      { zzz = 2; }
    ]).a;
  mkOverride-order = merged (types.listOf types.int) [
    (mkForce (mkAfter [ 2 ]))
    (mkForce [ 1 ])
    [ 3 ]
  ];
  assertions = evaluate [
    { options.assertions = withDefault (types.listOf types.unspecified) [ ]; }
    {
      assertions = [
        {
          assertion = true;
          message = "a";
        }
      ];
    }
    {
      assertions = [
        {
          assertion = false;
          message = "b";
        }
      ];
    }
  ];
  unspecified-merge = merged types.unspecified [
    { a = 1; }
    { b = 2; }
  ];
  attrs-shallow = merged types.attrs [
    { a.x = 1; }
    { a.y = 2; }
  ];
  submoduleWith-noshort = merged (types.submoduleWith {
    modules = [
      {
        options.config = withDefault types.int 1;
        options.a = withDefault types.int 2;
      }
    ];
  }) [ { a = 3; } ];
  submodule-key-config = merged (types.submodule { options.config = withDefault types.int 1; }) [
    { config = 5; }
  ];
  enum-int = merged (types.enum [
    1
    3
    5
  ]) [ 3 ];
  names = attrNames (evaluate [
    {
      options.a.b = withDefault types.int 1;
      options.c = withDefault types.int 2;
    }
  ]);
  mkAssert =
    (evaluate [
      { options.a = withDefault types.int 1; }
      { config = mkIf true (mkMerge [ { a = mkDefault 7; } ]); }
    ]).a;
  # not in the first table
  anything-equal-lists = merged types.anything [
    { l = [ 1 ]; }
    { l = [ 1 ]; }
  ];
  anything-mkIf-inside = merged types.anything [
    {
      a = mkIf false 1;
      b = 2;
    }
  ];
  attrsOf-nested-mkMerge = merged (types.attrsOf (types.listOf types.int)) [
    (mkMerge [
      { a = [ 1 ]; }
      (mkIf true {
        a = [ 2 ];
        b = [ ];
      })
    ])
  ];
  attrsOf-null = merged (types.attrsOf (types.nullOr types.int)) [
    {
      a = null;
      b = 1;
    }
  ];
  bool-conflict = merged types.bool [
    true
    false
  ];
  boolByOr = merged types.boolByOr [
    true
    false
  ];
  class-mismatch =
    (evalModules {
      class = "nixos";
      modules = [ { _class = "darwin"; } ];
    }).config;
  class-match =
    (evalModules {
      class = "nixos";
      modules = [
        {
          _class = "nixos";
          options.a = withDefault types.int 1;
        }
      ];
    }).config;
  coerced-list = merged (types.coercedTo types.str (s: [ s ]) (types.listOf types.str)) [
    "a"
    [ "b" ]
  ];
  coerced-wrong = merged (types.coercedTo types.int toString types.str) [ true ];
  deferredModule =
    (evaluate [
      { options.m = option types.deferredModule; }
      { m = { lib, ... }: { options.a = lib.mkOption { default = 3; }; }; }
      ({ config, ... }: { options.r = withDefault types.raw (evaluate [ config.m ]).a; })
    ]).r;
  doc-list = documented [
    {
      options.a.b = withDefault types.int 1;
      options.s = withDefault (types.attrsOf (types.submodule { options.p = option types.port; })) { };
    }
  ];
  emptyStr = merged types.nonEmptyStr [ " " ];
  enum-null = merged (types.nullOr (types.enum [ "a" ])) [ "b" ];
  externalPath = merged types.externalPath [ "/run/secrets/x" ];
  externalPath-store = merged types.externalPath [
    "/nix/store/00000000000000000000000000000000-x/y"
  ];
  float-wrong = merged types.float [ "1" ];
  freeform-lazy-self =
    (evaluate [
      { freeformType = types.lazyAttrsOf types.int; }
      ({ config, ... }: {
        a = 1;
        b = config.a + 1;
      })
    ]).b;
  function-module-in-imports = evaluate [
    { imports = [ ({ lib, ... }: { options.a = lib.mkOption { default = 1; }; }) ]; }
  ];
  highestPrio-of-default =
    (evalModules { modules = [ { options.a = withDefault types.int 1; } ]; }).options.a.highestPrio;
  isDefined-without =
    (evalModules { modules = [ { options.a = option types.int; } ]; }).options.a.isDefined;
  lazyAttrsOf-submodule = merged (types.lazyAttrsOf (
    types.submodule { options.a = withDefault types.int 1; }
  )) [ { k = { }; } ];
  lines-multiline = merged types.lines [
    "a\n"
    "b"
  ];
  list-of-enum-wrong = merged (types.listOf (types.enum [ "a" ])) [
    [
      "a"
      "b"
    ]
  ];
  list-of-wrong = merged (types.listOf types.int) [
    [
      1
      "2"
    ]
  ];
  mkDefault-in-submodule = merged (types.submodule {
    options.a = option types.int;
    config.a = mkDefault 1;
  }) [ { a = 2; } ];
  mkDerivedConfig =
    (evaluate [
      ({ options, ... }: {
        options.a = withDefault types.int 1;
        options.b = option types.int;
        config.b = lib.mkDerivedConfig options.a (x: x + 1);
      })
      { a = mkForce 5; }
    ]).b;
  mkIf-in-attrsOf-submodule =
    merged (types.attrsOf (types.submodule { options.a = withDefault types.int 1; }))
      [
        {
          k = mkIf false { a = 2; };
          l = mkIf true { a = 3; };
        }
      ];
  mkPackageOption-default =
    (lib.mkPackageOption { a.b = "/nix/store/x"; } "b" {
      default = [
        "a"
        "b"
      ];
    }).default;
  mkPackageOption-nullable =
    (lib.mkPackageOption { } "b" {
      nullable = true;
      default = null;
    }).default;
  mkPackageOption-text =
    (lib.mkPackageOption { a.b = 1; } "b" {
      default = [
        "a"
        "b"
      ];
      extraDescription = "More.";
    }).description;
  mkRemoved-unused =
    evaluate [
      (mkRemovedOptionModule [ "old" ] "Gone.")
      { options.assertions = withDefault (types.listOf types.unspecified) [ ]; }
    ]
    // {
      old = null;
    };
  mkRemoved-used =
    map (a: a.assertion)
      (evaluate [
        (mkRemovedOptionModule [ "old" ] "Gone.")
        { options.assertions = withDefault (types.listOf types.unspecified) [ ]; }
        { old = 1; }
      ]).assertions;
  mkRenamed-warns =
    builtins.length
      (evaluate [
        (mkRenamedOptionModule [ "a" "old" ] [ "b" "new" ])
        {
          options.b.new = withDefault types.int 1;
          options.warnings = withDefault (types.listOf types.str) [ ];
        }
        { a.old = 5; }
      ]).warnings;
  mkAlias = evaluate [
    (lib.mkAliasOptionModule [ "old" ] [ "new" ])
    { options.new = withDefault types.int 1; }
    {
      old = mkForce 5;
      new = 6;
    }
  ];
  nested-freeform-in-attrsOf =
    merged
      (types.attrsOf (
        types.submodule {
          freeformType = types.attrsOf (types.either types.int types.str);
          options.a = withDefault types.int 1;
        }
      ))
      [
        {
          k = {
            b = "x";
          };
        }
        {
          k = {
            c = 2;
          };
        }
      ];
  nonEmptyListOf-merge = merged (types.nonEmptyListOf types.int) [
    [ 1 ]
    [ 2 ]
  ];
  nullOr-submodule = merged (types.nullOr (
    types.submodule { options.a = withDefault types.int 1; }
  )) [ { } ];
  nullOr-submodule-null = merged (types.nullOr (types.submodule { options.a = option types.int; })) [
    null
  ];
  oneOf-last = merged (types.oneOf [
    types.int
    types.bool
    (types.listOf types.str)
  ]) [ [ "a" ] ];
  option-set-as-value = evaluate [
    { options.a.b = withDefault types.int 1; }
    { a = 1; }
  ];
  order-across-modules = merged (types.listOf types.int) [
    (mkAfter [ 9 ])
    [ 5 ]
    (mkOrder 400 [ 1 ])
    (mkBefore [ 2 ])
  ];
  passwdEntry = merged (types.passwdEntry types.str) [ "a:b" ];
  path-literal = builtins.typeOf (merged types.path [ ./imported ]);
  port-negative = merged types.port [ (-1) ];
  prefix-in-name =
    attrNames
      (evalModules {
        prefix = [ "p" ];
        modules = [ { options.a = withDefault types.int 1; } ];
      }).config;
  separatedString-order = merged (types.separatedString " ") [
    (mkAfter "z")
    "m"
    (mkBefore "a")
  ];
  singleLine-two = merged types.singleLineStr [ "a\nb" ];
  specialArgs-over-args =
    (evalModules {
      specialArgs.x = 1;
      modules = [
        ({ x, ... }: {
          options.a = withDefault types.int x;
          _module.args.x = 2;
        })
      ];
    }).config.a;
  submodule-args = merged (types.submoduleWith {
    specialArgs.y = 7;
    modules = [ ({ y, ... }: { options.a = withDefault types.int y; }) ];
  }) [ { } ];
  submodule-assertion-style = merged (types.submodule (
    { config, ... }: {
      options.a = option types.int;
      options.b = withDefault types.int (config.a * 2);
    }
  )) [ { a = 4; } ];
  submodule-missing = merged (types.submodule { options.a = option types.int; }) [ { } ];
  submodule-not-a-set = merged (types.submodule { }) [ 1 ];
  submodule-parent-value =
    (evaluate [
      ({ config, ... }: {
        options.base = withDefault types.int 3;
        options.s = withDefault (types.submodule { options.a = withDefault types.int config.base; }) { };
      })
    ]).s.a;
  type-in-declaration-twice-int = evaluate [
    { options.a = option types.int; }
    { options.a = option types.int; }
    { a = 1; }
  ];
  two-defaults = evaluate [
    { options.a = withDefault types.int 1; }
    { options.a = withDefault types.int 1; }
  ];
  undeclared-in-submodule-of-attrs = merged (types.attrsOf (types.submodule { })) [ { k.typo = 1; } ];
  unique-message = merged (types.unique { message = "once"; } types.int) [
    1
    1
  ];
  unknown-only = evaluate [
    { options = { }; }
    { x = 1; }
  ];
  mkPackageOption-example-expression =
    (lib.mkPackageOption { x = 1; } "x" { example = "pkgs.x.override { }"; }).example.text;
  mkPackageOption-example-text =
    (lib.mkPackageOption { x = 1; } "x" {
      example = [
        "a"
        "1b"
      ];
    }).example.text;
  importApply = evaluate [ (lib.modules.importApply ./imported/applied.nix { start = 4; }) ];
  pathInStore = map types.pathInStore.check [
    "/nix/store"
    "/nix/store/"
    "/nix/store/.links"
    "/nix/store/00000000000000000000000000000000-x/y"
    "/etc"
  ];
  visible-shallow = documented [
    {
      options.s = mkOption {
        visible = "shallow";
        default = { };
        type = types.submodule { options.p = option types.port; };
      };
    }
  ];
}
