# How types describe themselves: the words that messages and documentation use.
{ lib }:
let
  inherit (lib) types;
  ab = types.enum [
    "a"
    "b"
  ];
  all = {
    inherit (types)
      anything
      attrs
      bool
      boolByOr
      commas
      deferredModule
      envVar
      externalPath
      float
      int
      lines
      nonEmptyStr
      number
      optionType
      package
      path
      pathInStore
      port
      raw
      singleLineStr
      str
      unspecified
      ;
    inherit (types.ints)
      positive
      s16
      s8
      u32
      u8
      unsigned
      ;
    attrsOf-attrsOf = types.attrsOf (types.attrsOf types.int);
    attrsOf-str = types.attrsOf types.str;
    attrsOf-submodule = types.attrsOf (types.submodule { });
    coercedTo = types.coercedTo types.int toString types.str;
    either = types.either types.int types.str;
    either-between = types.either (types.ints.between 1 2) types.str;
    either-list = types.either types.str (types.listOf types.str);
    either-positive = types.either types.ints.positive types.str;
    enum = types.enum [
      "a"
      1
      true
    ];
    enum-empty = types.enum [ ];
    enum-one = types.enum [ "a" ];
    functionTo = types.functionTo types.int;
    ints-between = types.ints.between 1 5;
    lazyAttrsOf = types.lazyAttrsOf types.int;
    listOf-enum = types.listOf ab;
    listOf-nullOr = types.listOf (types.nullOr types.int);
    listOf-str = types.listOf types.str;
    nonEmptyListOf = types.nonEmptyListOf types.str;
    nullOr-either = types.nullOr (types.either types.int types.str);
    nullOr-enum = types.nullOr ab;
    nullOr-list = types.nullOr (types.listOf types.str);
    numbers-between = types.numbers.between 1 2;
    numbers-nonnegative = types.numbers.nonnegative;
    numbers-positive = types.numbers.positive;
    oneOf = types.oneOf [
      types.int
      types.str
      types.bool
    ];
    passwdEntry = types.passwdEntry types.str;
    separatedString = types.separatedString ",";
    strMatching = types.strMatching "a+";
    submodule = types.submodule { };
    submodule-described = types.submoduleWith {
      modules = [ ];
      description = "hub";
    };
    submodule-open = types.submodule { freeformType = types.attrsOf types.str; };
    uniq = types.uniq types.str;
  };
in
builtins.mapAttrs (_: type: [
  type.name
  type.description
]) all
