#include "cli/parser.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/errors.h"

namespace pj::cli {
namespace {

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

// One option a paragraph: name and value on the left, text beside it, wrapped.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_option(const CLI::Option* option, bool is_positional) const override {
    constexpr size_t kLeft = 26, kRight = 72;
    std::string line = "  " + option->get_name(is_positional);
    // CLI11 appends what the value is checked for, after a colon.
    const std::string type = option->get_type_name();
    if (!is_positional && !type.empty()) line += ' ' + type.substr(0, type.find(':'));
    line.append(line.size() < kLeft ? kLeft - line.size() : 2, ' ');
    std::string text;
    size_t column = 0;
    for (std::string_view rest = option->get_description(); !rest.empty();) {
      const std::string_view word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(word.size() + 1, rest.size()));
      if (column > 0 && column + 1 + word.size() > kRight) {
        text += '\n' + std::string(kLeft, ' ');
        column = 0;
      } else if (column > 0) {
        text += ' ';
        ++column;
      }
      text += word;
      column += word.size();
    }
    return line + text + '\n';
  }
};

// The first argument that looks like an option and is none.
std::optional<std::string> unknown_option(const CLI::App& app, const Args& args) {
  for (const std::string& arg : args) {
    if (arg == "--") break;
    if (!arg.starts_with("--")) continue;
    const std::string name = arg.substr(0, arg.find('='));
    if (app.get_option_no_throw(name) == nullptr) return name;
  }
  return std::nullopt;
}

}  // namespace

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::type_name(const std::string& name) const {
  option_->type_name(name);
  return *this;
}

Option Option::range(int least, int most) const { return range(int64_t{least}, int64_t{most}); }

Option Option::range(int64_t least, int64_t most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::range(double least, double most) const {
  option_->check(CLI::Range(least, most));
  return *this;
}

Option Option::positive() const {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option Option::one_of(std::initializer_list<std::string> values) const {
  option_->check(CLI::IsMember(std::vector<std::string>(values)));
  return *this;
}

Option Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}

Option Option::one_at_a_time() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::commas() const {
  option_->delimiter(',');
  return one_at_a_time();
}

Parser::Parser(const std::string& description, const std::string& name)
    : app_(std::make_unique<CLI::App>(description, name)) {}

Parser::~Parser() = default;

template <typename T>
Option Parser::option(const std::string& names, T& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

template Option Parser::option(const std::string&, std::string&, const std::string&);
template Option Parser::option(const std::string&, int&, const std::string&);
template Option Parser::option(const std::string&, int64_t&, const std::string&);
template Option Parser::option(const std::string&, size_t&, const std::string&);
template Option Parser::option(const std::string&, double&, const std::string&);
template Option Parser::option(const std::string&, std::vector<std::string>&, const std::string&);
template Option Parser::option(const std::string&, std::vector<double>&, const std::string&);

void Parser::flag(const std::string& name, bool& value, const std::string& help) {
  app_->add_flag(name, value, help);
}

void Parser::footer(const std::string& text) { app_->footer(text); }

std::optional<int> Parser::parse(const Args& args) {
  CLI::App& app = *app_;
  Args reversed(args.rbegin(), args.rend());
  app.formatter(std::make_shared<HelpFormatter>());
  app.get_help_ptr()->description("show this and exit");
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    return kOk;
  } catch (const CLI::ParseError& e) {
    const std::string see = fmt::format(" (see `{} --help`)", app.get_name());
    if (const auto option = unknown_option(app, args))
      usage_error("unknown option '{}'{}{}", *option, did_you_mean(*option, option_names(app)),
                  see);
    const Args rest = app.remaining();
    if (dynamic_cast<const CLI::ExtrasError*>(&e) != nullptr && !rest.empty())
      usage_error("unexpected argument '{}'{}", rest.front(), see);
    usage_error("{}{}", e.what(), see);
  }
  return std::nullopt;
}

}  // namespace pj::cli
