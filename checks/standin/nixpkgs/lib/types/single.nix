# Types of single values: numbers, strings, paths, packages, anything.
lib:
let
  inherit (builtins)
    concatStringsSep
    isAttrs
    isBool
    isFloat
    isInt
    isString
    match
    substring
    toJSON
    typeOf
    ;
  inherit (lib)
    getFiles
    getValues
    isStringLike
    mergeEqualOption
    mergeOneOption
    showFiles
    showOption
    types
    ;
  inherit (import ./core.nix lib)
    addCheck
    mergeTypes
    mkOptionType
    phrase
    ;

  noun =
    name: description: check:
    mkOptionType {
      inherit name description check;
      descriptionClass = "noun";
      merge = mergeEqualOption;
    };
  restricted =
    type: name: description: check:
    addCheck type check
    // {
      inherit name description;
      descriptionClass = "nonRestrictiveClause";
    };
  power = n: if n == 0 then 1 else 2 * power (n - 1);
  sized =
    kind: bits: lowest: highest:
    addCheck types.int (x: x >= lowest && x <= highest)
    // {
      name = "${kind}Int${toString bits}";
      description = "${toString bits} bit ${kind} integer; between ${toString lowest} and ${toString highest} (both inclusive)";
    };
  unsigned = bits: sized "unsigned" bits 0 (power bits - 1);
  signed = bits: sized "signed" bits (-(power (bits - 1))) (power (bits - 1) - 1);
  checkBounds =
    lowest: highest: lib.throwIf (lowest > highest) "ints.between: lowest must be smaller than highest";
in
rec {
  raw = mkOptionType {
    name = "raw";
    description = "raw value";
    descriptionClass = "noun";
    merge = mergeOneOption;
    force = _loc: _defs: true;
  };
  unspecified = mkOptionType {
    name = "unspecified";
    description = "unspecified value";
    descriptionClass = "noun";
  };
  anything = mkOptionType {
    name = "anything";
    description = "anything";
    descriptionClass = "noun";
    merge =
      loc: defs:
      let
        kind = value: if isAttrs value && isStringLike value then "stringCoercibleSet" else typeOf value;
        common = builtins.foldl' (
          first: def:
          if kind def.value == first then
            first
          else
            throw "The option `${showOption loc}' has conflicting option types in ${showFiles (getFiles defs)}"
        ) (kind (builtins.head defs).value) defs;
        merges = {
          set = (types.attrsOf anything).merge;
          stringCoercibleSet = mergeOneOption;
          lambda =
            loc': defs': argument:
            anything.merge (loc' ++ [ "<function body>" ]) (
              map (def: def // { value = def.value argument; }) defs'
            );
        };
      in
      (merges.${common} or mergeEqualOption) loc defs;
  };

  bool = noun "bool" "boolean" isBool;
  boolByOr = noun "boolByOr" "boolean (merged using or)" isBool // {
    merge = _loc: defs: lib.any lib.id (getValues defs);
  };

  int = noun "int" "signed integer" isInt;
  float = noun "float" "floating point number" isFloat;
  number = types.either int float;
  port = ints.u16;
  ints = {
    between =
      lowest: highest:
      checkBounds lowest highest (
        addCheck int (x: x >= lowest && x <= highest)
        // {
          name = "intBetween";
          description = "integer between ${toString lowest} and ${toString highest} (both inclusive)";
        }
      );
    unsigned = restricted int "unsignedInt" "unsigned integer, meaning >=0" (x: x >= 0);
    positive = restricted int "positiveInt" "positive integer, meaning >0" (x: x > 0);
    u8 = unsigned 8;
    u16 = unsigned 16;
    u32 = unsigned 32;
    s8 = signed 8;
    s16 = signed 16;
    s32 = signed 32;
  };
  numbers = {
    between =
      lowest: highest:
      checkBounds lowest highest (
        addCheck number (x: x >= lowest && x <= highest)
        // {
          name = "numberBetween";
          description = "integer or floating point number between ${toString lowest} and ${toString highest} (both inclusive)";
        }
      );
    nonnegative =
      restricted number "numberNonnegative" "nonnegative integer or floating point number, meaning >=0"
        (x: x >= 0);
    positive =
      restricted number "numberPositive" "positive integer or floating point number, meaning >0"
        (x: x > 0);
  };

  str = noun "str" "string" isString;
  nonEmptyStr = noun "nonEmptyStr" "non-empty string" (x: isString x && match "[ \t\n]*" x == null);
  singleLineStr =
    noun "singleLineStr" "(optionally newline-terminated) single-line string" (
      x: isString x && match "[^\n\r]*\n?" x != null
    )
    // {
      merge =
        loc: defs:
        lib.removeSuffix "\n" (
          mergeEqualOption loc (map (def: def // { value = lib.removeSuffix "\n" def.value; }) defs)
        );
    };
  strMatching =
    pattern:
    noun "strMatching ${lib.strings.escapeNixString pattern}" "string matching the pattern ${pattern}" (
      x: isString x && match pattern x != null
    );
  separatedString =
    separator:
    mkOptionType {
      name = "separatedString";
      description = "strings concatenated with ${toJSON separator}";
      descriptionClass = "noun";
      check = isString;
      merge = _loc: defs: concatStringsSep separator (getValues defs);
      payload = { inherit separator; };
      typeMerge = other: if other.payload.separator == separator then separatedString separator else null;
    };
  lines = separatedString "\n";
  commas = separatedString ",";
  envVar = separatedString ":";
  passwdEntry =
    type:
    restricted type "passwdEntry ${type.name}"
      "${phrase [ "noun" ] type}, not containing newlines or colons"
      (x: !(lib.hasInfix ":" x || lib.hasInfix "\n" x));

  attrs = mkOptionType {
    name = "attrs";
    description = "attribute set";
    check = isAttrs;
    merge = _loc: builtins.foldl' (merged: def: merged // def.value) { };
    emptyValue.value = { };
  };

  package = mkOptionType {
    name = "package";
    description = "package";
    descriptionClass = "noun";
    check = x: lib.isDerivation x || lib.isStorePath x;
    merge = mergeOneOption;
  };
  shellPackage = addCheck package (x: lib.isDerivation x && x ? shellPath);
  pathWith =
    {
      inStore ? null,
      absolute ? null,
    }:
    let
      # the store itself and what is in it without a hash are no store paths
      isInStore =
        x: match "${builtins.storeDir}/([0-9a-z]{32}-[^/]+|[0-9a-z]{52})(/.*)?" (toString x) != null;
      isAbsolute = x: substring 0 1 (toString x) == "/";
      # a path literal that must stay out of the store would be copied into it
      isRightKind = if inStore == null || inStore then isStringLike else isString;
      adjective = lib.optionalString (absolute != null) (if absolute then "absolute " else "relative ");
      place = lib.optionalString (inStore != null) (
        if inStore then " in the Nix store" else " not in the Nix store"
      );
    in
    mkOptionType {
      name = "path";
      description = "${adjective}path${place}";
      descriptionClass = "noun";
      check =
        x:
        isRightKind x
        && (inStore == null || inStore == isInStore x)
        && (absolute == null || absolute == isAbsolute x);
      merge = mergeEqualOption;
      payload = { inherit inStore absolute; };
      typeMerge =
        other: if other.payload == { inherit inStore absolute; } then pathWith other.payload else null;
    };
  path = pathWith { absolute = true; };
  pathInStore = pathWith { inStore = true; };
  externalPath = pathWith {
    absolute = true;
    inStore = false;
  };

  optionType = mkOptionType {
    name = "optionType";
    description = "optionType";
    descriptionClass = "noun";
    check = lib.isOptionType;
    merge =
      loc: defs:
      let
        merged = lib.foldl' (a: b: if a == null then null else mergeTypes a b) (builtins.head (
          getValues defs
        )) (builtins.tail (getValues defs));
      in
      if merged == null then mergeOneOption loc defs else merged;
  };
}
