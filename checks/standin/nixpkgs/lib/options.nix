# Declaring options, showing them in messages, and the plain ways to merge their definitions.
lib:
let
  inherit (builtins)
    all
    any
    concatMap
    foldl'
    head
    isAttrs
    isBool
    isInt
    isList
    isString
    length
    removeAttrs
    tail
    tryEval
    ;
  inherit (lib)
    concatMapStrings
    concatMapStringsSep
    concatStringsSep
    optionalAttrs
    ;
  render =
    value:
    if value ? _type && value ? text then
      value
    else
      lib.literalExpression (lib.generators.toPretty { } value);
in
rec {
  isOption = lib.isType "option";

  mkOption =
    declaration:
    let
      unknown = removeAttrs declaration [
        "default"
        "defaultText"
        "example"
        "description"
        "relatedPackages"
        "type"
        "apply"
        "internal"
        "visible"
        "readOnly"
      ];
    in
    if unknown == { } then
      declaration // { _type = "option"; }
    else
      throw "mkOption has no argument ${concatStringsSep ", " (builtins.attrNames unknown)}";

  mkEnableOption =
    name:
    mkOption {
      default = false;
      example = true;
      description = "Whether to enable ${name}.";
      type = lib.types.bool;
    };

  mkPackageOption =
    pkgs: name:
    {
      nullable ? false,
      default ? name,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      label = if isList name then lib.last name else name;
      path = lib.toList default;
      text =
        attributes:
        literalExpression (
          concatStringsSep "." ([ pkgsText ] ++ map lib.strings.escapeNixIdentifier (lib.toList attributes))
        );
    in
    mkOption (
      {
        type = if nullable then lib.types.nullOr lib.types.package else lib.types.package;
        description =
          "The ${label} package to use." + lib.optionalString (extraDescription != "") " ${extraDescription}";
      }
      // optionalAttrs (default != null) {
        default = lib.attrByPath path (throw "${showOption path} cannot be found in ${pkgsText}") pkgs;
        defaultText = text path;
      }
      // optionalAttrs (nullable && default == null) { default = null; }
      // optionalAttrs (example != null) {
        example = if isList example then text example else literalExpression example;
      }
    );

  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };

  getValues = map (def: def.value);
  getFiles = map (def: def.file);

  # merging
  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? (_loc: defs: (head defs).value),
    }:
    loc: defs:
    if length defs == 1 then
      merge loc defs
    else
      throw "The option `${showOption loc}' is defined multiple times while it's expected to be unique.\n${message}\nDefinition values:${showDefs defs}";
  mergeEqualOption =
    loc: defs:
    if defs == [ ] then
      throw "This case should never happen."
    else
      foldl' (
        first: def:
        if def.value == first then
          first
        else
          throw "The option `${showOption loc}' has conflicting definition values:${showDefs defs}\nUse `lib.mkForce value` or `lib.mkDefault value` to change the priority on any of these definitions."
      ) (head defs).value (tail defs);
  mergeDefaultOption =
    loc: defs:
    let
      values = getValues defs;
      first = head values;
    in
    if length values == 1 then
      first
    else if all lib.isFunction values then
      x: mergeDefaultOption loc (map (def: def // { value = def.value x; }) defs)
    else if all isList values then
      concatMap lib.id values
    else if all isAttrs values then
      foldl' (a: b: a // b) { } values
    else if all isBool values then
      any lib.id values
    else if all isString values then
      lib.concatStrings values
    else if all isInt values && all (value: value == first) values then
      first
    else
      throw "Cannot merge definitions of `${showOption loc}'. Definition values:${showDefs defs}";

  # showing
  showOption = concatMapStringsSep "." (
    part:
    if part == "*" || builtins.match "<(.*)>" part != null then
      part
    else
      lib.strings.escapeNixIdentifier part
  );
  showFiles = concatMapStringsSep " and " (file: "`${file}'");
  showDefs = concatMapStrings (
    def:
    let
      shown = tryEval (
        builtins.deepSeq (lib.generators.toPretty { } def.value) (lib.generators.toPretty { } def.value)
      );
    in
    "\n- In `${def.file}'${lib.optionalString shown.success ": ${shown.value}"}"
  );
  # every option of a tree as one list, for documentation
  optionAttrSetToDocList = optionAttrSetToDocList' [ ];
  optionAttrSetToDocList' =
    _prefix: tree:
    concatMap (
      option:
      let
        entry = {
          name = showOption option.loc;
          inherit (option) loc declarations;
          description = option.description or null;
          internal = option.internal or false;
          visible = if option ? visible && option.visible == "shallow" then true else option.visible or true;
          readOnly = option.readOnly or false;
          type = option.type.description or "unspecified";
        }
        // optionalAttrs (option ? example) { example = render option.example; }
        // optionalAttrs (option ? defaultText || option ? default) {
          default = render (option.defaultText or option.default);
        }
        // optionalAttrs (option ? relatedPackages && option.relatedPackages != null) {
          inherit (option) relatedPackages;
        };
        below = (option.type.getSubOptions or (_: { })) option.loc;
        deeper =
          if option.visible or true == "shallow" then
            [ ]
          else
            optionAttrSetToDocList' option.loc (removeAttrs below [ "_module" ]);
      in
      [ entry ] ++ deeper
    ) (lib.collect isOption tree);
}
