// Control show: the control as text for a terminal, as Markdown, as JSON.
#include <algorithm>

#include "json/json.h"
#include "report/canvas.h"
#include "report/control_text.h"
#include "report/report.h"
#include "report/text.h"

namespace keyturn::report {
namespace {

// Text wraps at this width on wider terminals too: longer lines are hard to read.
constexpr std::size_t kReadingWidth = 100;

void TextItem(Canvas& canvas, std::string_view mark, std::string_view item, std::size_t indent) {
  const std::size_t hang = indent + mark.size() + 1;
  bool first = true;
  for (const auto& line : Wrap(canvas.Clean(item), canvas.width() - hang)) {
    const std::string lead =
        first ? std::string(indent, ' ') + std::string(mark) + ' ' : std::string(hang, ' ');
    canvas.Line(lead + line);
    first = false;
  }
}

void TextBlock(Canvas& canvas, const ControlBlock& block) {
  std::size_t number = 0;
  for (const std::string_view item : block.items) {
    switch (block.kind) {
      case BlockKind::kHeading:
        canvas.Line();
        canvas.Line("  " + canvas.Paint(Ink::kBold, canvas.Clean(item)));
        break;
      case BlockKind::kStep:
        canvas.Paragraph(canvas.Clean(item), 2);
        break;
      case BlockKind::kParagraph:
        canvas.Paragraph(canvas.Clean(item), 2);
        break;
      case BlockKind::kBullets:
        TextItem(canvas, "-", item, 2);
        break;
      case BlockKind::kNumbered:
        TextItem(canvas, std::to_string(++number) + ".", item, 4);
        break;
      case BlockKind::kCommands:
        // Never wrapped: commands are there to be copied.
        canvas.Line("      " + canvas.Paint(Ink::kBlue, canvas.Clean(item)));
        break;
    }
  }
}

std::string ShowText(const TerminalStyle& style) {
  TerminalStyle page = style;
  page.width = std::min(page.width, kReadingWidth);
  Canvas canvas(page);
  canvas.Paragraph(kControlTitle, 0, Ink::kBold);
  for (const auto& section : ControlSections()) {
    canvas.Line();
    canvas.Line(canvas.Paint(Ink::kBoldGreen, section.title));
    bool first = true;
    for (const auto& block : section.blocks) {
      if (first && block.kind == BlockKind::kHeading) {
        canvas.Line("  " + canvas.Paint(Ink::kBold, canvas.Clean(block.items.front())));
      } else {
        TextBlock(canvas, block);
      }
      first = false;
    }
  }
  canvas.Line();
  canvas.Line(canvas.Paint(Ink::kBoldGreen, "Compliance Mapping"));
  for (const auto& mapping : ComplianceMappings()) {
    TextItem(canvas, "-",
             std::string(mapping.framework) + ": " + std::string(mapping.references) + " (" +
                 std::string(mapping.said_by) + ")",
             2);
  }
  return canvas.Take();
}

// MarkdownText escapes what Markdown would read as markup in running text: <placeholders>.
std::string MarkdownText(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<' || c == '*' || c == '_' || c == '`') {
      out += '\\';
    }
    out += c;
  }
  return out;
}

void MarkdownBlock(const ControlBlock& block, std::string& out) {
  std::size_t number = 0;
  out += '\n';
  if (block.kind == BlockKind::kCommands) {
    out += "```sh\n";
    for (const std::string_view item : block.items) {
      out += std::string(item) + '\n';
    }
    out += "```\n";
    return;
  }
  bool first = true;
  for (const std::string_view item : block.items) {
    const std::string text = MarkdownText(item);
    switch (block.kind) {
      case BlockKind::kHeading:
        out += "### " + text + '\n';
        break;
      case BlockKind::kStep:
        out += "**" + text + "**\n";
        break;
      case BlockKind::kParagraph:
        out += (first ? "" : "\n") + text + '\n';
        break;
      case BlockKind::kBullets:
        out += "- " + text + '\n';
        break;
      case BlockKind::kNumbered:
        out += std::to_string(++number) + ". " + text + '\n';
        break;
      case BlockKind::kCommands:
        break;
    }
    first = false;
  }
}

std::string ShowMarkdown() {
  std::string out = "# " + std::string(kControlTitle) + '\n';
  for (const auto& section : ControlSections()) {
    out += "\n## " + std::string(section.title) + '\n';
    for (const auto& block : section.blocks) {
      MarkdownBlock(block, out);
    }
  }
  out += "\n## Compliance Mapping\n\n| Framework | References | Mapped by |\n|---|---|---|\n";
  for (const auto& mapping : ComplianceMappings()) {
    out += "| " + std::string(mapping.framework) + " | " + std::string(mapping.references) + " | " +
           std::string(mapping.said_by) + " |\n";
  }
  return out;
}

std::string_view BlockKindName(BlockKind kind) {
  switch (kind) {
    case BlockKind::kHeading:
      return "heading";
    case BlockKind::kStep:
      return "step";
    case BlockKind::kParagraph:
      return "paragraph";
    case BlockKind::kBullets:
      return "bullets";
    case BlockKind::kNumbered:
      return "numbered";
    case BlockKind::kCommands:
      return "commands";
  }
  return "";
}

std::string ShowJson() {
  std::string out;
  json::Writer w(out, json::Writer::Style::kPretty);
  w.BeginObject().Key("format").String("keyturn.control.v1").Key("title").String(kControlTitle);
  for (const auto& section : ControlSections()) {
    w.Key(section.id).BeginObject().Key("title").String(section.title).Key("blocks").BeginArray();
    for (const auto& block : section.blocks) {
      w.BeginObject().Key("kind").String(BlockKindName(block.kind)).Key("items").BeginArray();
      for (const std::string_view item : block.items) {
        w.String(item);
      }
      w.EndArray().EndObject();
    }
    w.EndArray().EndObject();
  }
  w.Key("compliance_mapping").BeginArray();
  for (const auto& mapping : ComplianceMappings()) {
    w.BeginObject().Key("framework").String(mapping.framework).Key("references");
    w.String(mapping.references).Key("mapped_by").String(mapping.said_by).EndObject();
  }
  w.EndArray().EndObject();
  out += '\n';
  return out;
}

}  // namespace

std::string RenderControl(ControlFormat format, const TerminalStyle& style) {
  switch (format) {
    case ControlFormat::kText:
      return ShowText(style);
    case ControlFormat::kMarkdown:
      return ShowMarkdown();
    case ControlFormat::kJson:
      return ShowJson();
  }
  return "";
}

}  // namespace keyturn::report
