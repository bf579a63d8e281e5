# Turning values into the text of a file format.
lib:
let
  inherit (builtins)
    attrNames
    isAttrs
    isFloat
    isInt
    isList
    isPath
    isString
    typeOf
    ;
  inherit (lib)
    boolToString
    concatMapStringsSep
    concatStrings
    escape
    isDerivation
    isFunction
    mapAttrsToList
    ;
in
rec {
  toJSON = _options: builtins.toJSON;

  mkValueStringDefault =
    _options: value:
    if isInt value || isString value || isDerivation value then
      toString value
    else if value == true || value == false then
      boolToString value
    else if value == null then
      "null"
    else if isFloat value then
      lib.strings.floatToString value
    else
      throw "generators.mkValueStringDefault: ${typeOf value} not supported: ${toPretty { } value}";
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    separator: name: value:
    "${escape [ separator ] name}${separator}${mkValueString value}";
  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    set:
    let
      line = name: value: indent + mkKeyValue name value + "\n";
      lines =
        name: value:
        if listsAsDuplicateKeys && isList value then
          concatStrings (map (line name) value)
        else
          line name value;
    in
    concatStrings (mapAttrsToList lines set);
  toINI =
    {
      mkSectionName ? (name: escape [ "[" "]" ] name),
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    sections:
    lib.concatStringsSep "\n" (
      mapAttrsToList (
        name: values:
        "[${mkSectionName name}]\n" + toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } values
      ) sections
    );

  # one line, for people: the stand-in does not promise nixpkgs' line breaks
  toPretty =
    options: value:
    let
      show = toPretty options;
    in
    if isString value then
      lib.strings.escapeNixString value
    else if value == null || value == true || value == false || isInt value || isFloat value then
      builtins.toJSON value
    else if isPath value then
      toString value
    else if isList value then
      if value == [ ] then "[ ]" else "[ ${concatMapStringsSep " " show value} ]"
    else if isFunction value then
      "<function>"
    else if isDerivation value then
      "<derivation ${value.name or "???"}>"
    else if isAttrs value then
      if value == { } then
        "{ }"
      else
        "{ ${
          concatMapStringsSep " " (name: "${lib.strings.escapeNixIdentifier name} = ${show value.${name}};") (
            attrNames value
          )
        } }"
    else
      throw "generators.toPretty: ${typeOf value} not supported";
}
