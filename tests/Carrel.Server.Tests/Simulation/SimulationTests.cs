using System.Collections.Concurrent;
using System.Globalization;
using Carrel.Server.Hosting;
using Carrel.Server.State;
using Carrel.Server.Tests.Fakes;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Carrel.Server.Tests.Simulation;

/// <summary>
/// Runs seeds of the simulation: 200 by default, the first so many with <c>CARREL_TEST_SEEDS</c>, or one with <c>CARREL_TEST_SEED</c>.
/// </summary>
public sealed class SimulationTests
{
    private const int Usual = 200;
    private const int Shown = 5;

    [Fact]
    public async Task Whatever_fails_state_and_world_agree_in_the_end()
    {
        await using var server = await RunningServer.StartAsync(change: settings => settings with
        {
            Database = new DatabaseAddress.Sqlite(Path.Combine(settings.Data, "carrel.db")),
        });
        foreach (var name in (string[])["one", "two", "three", "four"])
        {
            await server.WorkspaceAsync(name);
        }

        using var template = new SqliteConnection("Data Source=:memory:");
        await template.OpenAsync(TestContext.Current.CancellationToken);
        await using (var made = new SqliteConnection($"Data Source={Path.Combine(server.Data, "carrel.db")};Pooling=False"))
        {
            await made.OpenAsync(TestContext.Current.CancellationToken);
            made.BackupDatabase(template);
        }

        var gate = new Lock();
        var failed = new ConcurrentBag<(ulong Seed, string Report)>();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Math.Max(1, Environment.ProcessorCount / 2), CancellationToken = TestContext.Current.CancellationToken };
        Parallel.ForEach(Seeds(), options, seed =>
        {
            if (Report(seed, () =>
            {
                lock (gate)
                {
                    return new Simulation(seed, template, server.Get<Settings>(), server.Get<DataFolder>());
                }
            }) is { } report)
            {
                failed.Add((seed, report));
            }
        });
        var first = failed.OrderBy(failure => failure.Seed).ToList();
        Assert.True(
            first.Count == 0,
            $"{first.Count} seeds failed: {string.Join(' ', first.Select(failure => failure.Seed))}\n{string.Join('\n', first.Take(Shown).Select(failure => failure.Report))}");
    }

    private static IEnumerable<ulong> Seeds()
    {
        if (Environment.GetEnvironmentVariable("CARREL_TEST_SEED") is { Length: > 0 } one)
        {
            return [ulong.Parse(one, CultureInfo.InvariantCulture)];
        }

        var count = Environment.GetEnvironmentVariable("CARREL_TEST_SEEDS") is { Length: > 0 } many ? int.Parse(many, CultureInfo.InvariantCulture) : Usual;
        return Enumerable.Range(1, count).Select(seed => (ulong)seed);
    }

    private static string? Report(ulong seed, Func<Simulation> begin)
    {
        using var simulation = begin();
        IReadOnlyList<string> wrong;
        try
        {
            wrong = simulation.Run();
        }
#pragma warning disable CA1031 // Whatever it is, it is told with the history that led to it.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            wrong = [bug.ToString()];
        }

        return wrong.Count == 0
            ? null
            : $"seed {seed} (again: CARREL_TEST_SEED={seed}):\n{string.Join('\n', simulation.History)}\nwrong:\n  {string.Join("\n  ", wrong)}\n";
    }
}
