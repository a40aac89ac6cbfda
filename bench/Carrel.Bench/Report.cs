using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Carrel.Bench;

internal static class Report
{
    internal static void Print(IReadOnlyList<Row> rows)
    {
        var table = new Table().Border(TableBorder.Markdown)
            .AddColumns("what", "N", "p50", "p95", "p99", "unit", "target", "met", "peer", "peer p50", "peer / ours");
        foreach (var row in rows)
        {
            table.AddRow(
                row.Name,
                $"{row.Samples.Count}",
                Text(row.P50),
                Text(row.P95),
                Text(row.P99),
                row.Unit,
                row.Target is { } target ? $"p{row.TargetPercentile} {Text(target)}" : "",
                row.Met switch { true => "yes", false => "NO", null => "" },
                row.PeerName ?? "",
                row.PeerP50 is { } peer ? Text(peer) : "",
                row.PeerP50 is { } other ? Text(other / row.P50) : "");
        }

        AnsiConsole.Write(table);
    }

    internal static void Write(string file, IReadOnlyList<Row> rows, JsonObject machine, DateTimeOffset now)
    {
        var document = new JsonObject
        {
            ["measured_at"] = now.ToString("O", CultureInfo.InvariantCulture),
            ["machine"] = machine,
            ["rows"] = new JsonArray([.. rows.Select(row => (JsonNode)new JsonObject
            {
                ["name"] = row.Name,
                ["unit"] = row.Unit,
                ["n"] = row.Samples.Count,
                ["p50"] = Round(row.P50),
                ["p95"] = Round(row.P95),
                ["p99"] = Round(row.P99),
                ["target"] = row.Target,
                ["target_percentile"] = row.Target is null ? null : row.TargetPercentile,
                ["peer"] = row.PeerName,
                ["peer_p50"] = row.PeerP50 is { } peer ? Round(peer) : null,
                ["samples"] = new JsonArray([.. row.Samples.Select(sample => (JsonNode)Round(sample))]),
            })]),
        };
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, document.ToJsonString(new JsonSerializerOptions { WriteIndented = true }) + "\n");
    }

    private static double Round(double value) => Math.Round(value, 3);

    private static string Text(double value) => value.ToString(value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture);
}
