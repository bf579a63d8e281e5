# What every option type is made of, and what the files beside this one share.
lib:
let
  inherit (builtins)
    all
    attrValues
    isAttrs
    isList
    seq
    ;
in
rec {
  isOptionType = lib.isType "option-type";

  # `force` evaluates what a merge made, all of it; types made of other types pass the question on to them
  mkOptionType =
    given:
    let
      self = {
        _type = "option-type";
        description = given.name;
        descriptionClass = null;
        check = _value: true;
        merge = lib.mergeDefaultOption;
        emptyValue = { };
        getSubOptions = _prefix: { };
        getSubModules = null;
        substSubModules = _modules: self;
        nestedTypes = { };
        typeMerge = _other: self;
        force = loc: defs: forceValue (self.merge loc defs);
        payload = { };
      }
      // given;
    in
    self;

  # null when the two cannot be one type
  mergeTypes = a: b: if a.name != b.name then null else a.typeMerge b;

  addCheck = type: check: type // { check = x: type.check x && check x; };

  forceValue =
    value:
    if lib.isDerivation value then
      seq (value.drvPath or null) true
    else if isAttrs value then
      if value ? outPath || value ? __functor || value ? _type then
        true
      else
        all forceValue (attrValues value)
    else if isList value then
      all forceValue value
    else
      seq value true;

  # the values of an option tree, without those that nobody defined
  forceOptions =
    tree:
    all (entry: if lib.isOption entry then entry.forced else forceOptions entry) (
      attrValues (removeAttrs tree [ "_module" ])
    );

  # a type's description inside another one, in parentheses where it would be ambiguous
  phrase =
    classes: type:
    if builtins.elem type.descriptionClass classes then type.description else "(${type.description})";
  simple = phrase [
    "noun"
    "composite"
  ];
}
