using Carrel.Server.Computers;
using Xunit;

namespace Carrel.Server.Tests;

public sealed class TransitionsTests
{
    // Columns: start, stop, restart, ensure-running, delete, restore, suspend, resume.
    private const string Expected =
        """
        creating    busy             busy             busy         wait       busy       busy         busy               busy
        starting    busy             busy             busy         wait       busy       busy         busy               busy
        running     already_running  >stopping        >restarting  already    >deleting  >restarting  >stopping          already_running
        stopping    busy             busy             busy         wait       busy       busy         busy               busy
        stopped     >starting        already_stopped  not_running  >starting  >deleting  >stopping    not_running        not_suspended
        restarting  busy             busy             busy         wait       busy       busy         busy               busy
        suspended   >starting        >stopping        >restarting  >starting  >deleting  >stopping    already_suspended  >starting
        deleting    busy             busy             busy         busy       busy       busy         busy               busy
        error       >starting        >stopping        >restarting  >starting  >deleting  >stopping    not_running        not_suspended
        """;

    [Fact]
    public void Every_command_in_every_status_means_what_the_table_says()
    {
        var rows = Expected.Split('\n').Select(row => row.Split(' ', StringSplitOptions.RemoveEmptyEntries)).ToDictionary(row => row[0]);
        Assert.Equal(Enum.GetValues<ComputerStatus>().Select(status => status.Wire()).Order(), rows.Keys.Order());

        foreach (var status in Enum.GetValues<ComputerStatus>())
        {
            foreach (var command in Enum.GetValues<ComputerCommand>())
            {
                Assert.Equal($"{status} {command}: {rows[status.Wire()][1 + (int)command]}", $"{status} {command}: {Say(Transitions.Of(status, command))}");
            }
        }
    }

    [Fact]
    public void A_status_survives_being_written_and_read() =>
        Assert.All(Enum.GetValues<ComputerStatus>(), status => Assert.Equal(status, ComputerStatusExtensions.Parse(status.Wire())));

    private static string Say(Verdict verdict) => verdict switch
    {
        { Next: { } next } => ">" + next.Wire(),
        { Refusal: { } code } => code,
        { Already: true } => "already",
        { Wait: true } => "wait",
        _ => "nothing",
    };
}
