using System.CommandLine;
using Carrel.Bench;
using Carrel.Testbed;
using Spectre.Console;

var only = new Option<string[]>("--only") { Description = "Run only these benchmarks (repeatable).", AllowMultipleArgumentsPerToken = true };
var samples = new Option<int>("--n") { Description = "Samples per row; fewer than 50 are no figure to quote.", DefaultValueFactory = _ => 50 };
var output = new Option<string>("--output") { Description = "File for the results as JSON.", DefaultValueFactory = _ => $"bench/results/{TimeProvider.System.GetUtcNow():yyyy-MM-dd}.json" };
var root = new RootCommand("Measures Carrel through its public API, on a server and computers of its own.") { only, samples, output };
root.SetAction(async (parsed, _) =>
{
    var machine = Machine.Describe();
    await using var installation = await Installation.StartNewAsync();
    var benchmarks = new Benchmarks(installation, parsed.GetValue(samples), new ConsoleProgress()).All;
    var names = parsed.GetValue(only) is { Length: > 0 } chosen ? chosen : [.. benchmarks.Keys];
    if (names.FirstOrDefault(name => !benchmarks.ContainsKey(name)) is { } unknown)
    {
        Console.Error.WriteLine($"There is no benchmark '{unknown}'. There are: {string.Join(", ", benchmarks.Keys)}.");
        return 2;
    }

    var rows = new List<Row>();
    foreach (var name in names)
    {
        rows.AddRange(await benchmarks[name]());
    }

    Console.Error.WriteLine();
    if (Console.IsOutputRedirected)
    {
        AnsiConsole.Profile.Width = 160;
    }

    Report.Print(rows);
    Report.Write(parsed.GetValue(output)!, rows, machine, TimeProvider.System.GetUtcNow());
    AnsiConsole.WriteLine($"Kept in {parsed.GetValue(output)}.");
    return 0;
});
return await root.Parse(args).InvokeAsync();

/// <summary>One line that renews itself on a terminal, silence elsewhere.</summary>
internal sealed class ConsoleProgress : IProgress<string>
{
    public void Report(string value)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write($"\r{value,-60}");
        }
    }
}
