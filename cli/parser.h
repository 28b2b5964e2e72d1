// The command line of one command. CLI11 stays behind it, in one file: every command would take
// longer to parse that header than to compile itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace pj::cli {

using Args = std::vector<std::string>;  // what follows the command's name

// What an option's value has to be; each returns the option itself, so that they can be chained.
class Option {
 public:
  explicit Option(CLI::Option* option) : option_(option) {}

  Option required() const;
  // How help calls the value.
  Option type_name(const std::string& name) const;
  // The ends are allowed.
  Option range(int least, int most) const;
  Option range(int64_t least, int64_t most) const;
  Option range(double least, double most) const;
  Option positive() const;
  Option one_of(std::initializer_list<std::string> values) const;
  Option excludes(const Option& other) const;
  // For vectors: one value each time that the option is given, not all that follow.
  Option one_at_a_time() const;
  // For vectors: one argument with commas between its values.
  Option commas() const;

 private:
  CLI::Option* option_;
};

class Parser {
 public:
  // `name` as a user types it: "pj bench".
  Parser(const std::string& description, const std::string& name);
  ~Parser();
  Parser(const Parser&) = delete;
  Parser& operator=(const Parser&) = delete;

  // `names` is "-o,--output" or, for a positional one, "MODEL". `value` keeps what it has if the
  // option is not given; T: std::string, int, int64_t, size_t, double, or a vector of strings or
  // doubles.
  template <typename T>
  Option option(const std::string& names, T& value, const std::string& help);
  void flag(const std::string& name, bool& value, const std::string& help);
  // Help ends with it.
  void footer(const std::string& text);

  // An exit status if the command ends here because help was printed. Throws Failure with kUsage,
  // and a suggestion for unknown options.
  std::optional<int> parse(const Args& args);

 private:
  std::unique_ptr<CLI::App> app_;
};

}  // namespace pj::cli
