using Carrel.Contracts;
using Carrel.Contracts.Api;
using Carrel.Server.Computers;
using Carrel.Server.State;

namespace Carrel.Server.Workspaces;

/// <summary>
/// One order to all computers of a workspace, side by side, but no more at once than the host has processors for: desktops that
/// start together take each other's time. What a computer is already is fine, except that none can be restarted that does not run.
/// </summary>
internal sealed partial class WorkspaceOrders(
    ComputerRegistry registry, ComputerStore store, Lifecycle lifecycle, OperationViews operations, IIdFactory ids, IHostApplicationLifetime application,
    ILogger<WorkspaceOrders> log)
{
    private static readonly int AtOnce = Math.Max(2, Environment.ProcessorCount);

    /// <summary>Answers when all have done it, or not.</summary>
    public async Task<WorkspaceOrderAnswer> RunAsync(string workspaceId, ComputerCommand command)
    {
        var computers = registry.In(workspaceId).ToArray();
        var results = new WorkspaceOrderResult[computers.Length];
        await Parallel.ForAsync(0, computers.Length, new ParallelOptions { MaxDegreeOfParallelism = AtOnce }, async (index, _) =>
            results[index] = ResultOf(computers[index], await CarryOutAsync(computers[index], command, null)));
        return new WorkspaceOrderAnswer(results.All(result => result.Ok), results);
    }

    /// <summary>Answers when an operation is written down for each; they are carried out in the background, in turn.</summary>
    public async Task<WorkspaceOrderAnswer> BeginAsync(HttpContext context, string workspaceId, ComputerCommand command)
    {
        var waiting = registry.In(workspaceId).Select(computer => (Computer: computer, Operation: ids.NewId())).ToArray();
        await store.QueueAsync(waiting.Select(order => (order.Operation, order.Computer.Id)), Lifecycle.KindOf(command));
        var results = waiting.Select(order => ResultOf(order.Computer, order.Computer) with
        {
            OperationId = order.Operation.ToString(),
            OperationUrl = operations.UrlOf(context, order.Computer.Id, order.Operation),
        }).ToList();
        _ = RunQueuedAsync(waiting, command);
        return new WorkspaceOrderAnswer(true, results);
    }

    /// <summary>What the server's end leaves waiting never begins; recovery says so.</summary>
    private async Task RunQueuedAsync((Computer Computer, Guid Operation)[] waiting, ComputerCommand command)
    {
        try
        {
            var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = application.ApplicationStopping };
            await Parallel.ForEachAsync(waiting, options, async (order, _) => await CarryOutAsync(order.Computer, command, order.Operation));
        }
        catch (OperationCanceledException) when (application.ApplicationStopping.IsCancellationRequested)
        {
            // See the summary.
        }
#pragma warning disable CA1031 // Nobody waits for this; a bug here must be seen, and not end the server.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            Unexpected(log, bug);
        }
    }

    private async Task<Outcome<Computer>> CarryOutAsync(Computer computer, ComputerCommand command, Guid? queued)
    {
        var begun = await lifecycle.BeginAsync(computer, command, queued: queued);
        if (begun is { Succeeded: true, Value: { } operation })
        {
            return await operation.Done;
        }

        var refused = begun.Failure?.Code == ErrorCodes.AlreadyStopped ? null : begun.Failure;
        if (queued is { } waited)
        {
            await store.EndOperationAsync(waited, refused?.Message);
        }

        return refused is null ? computer : refused;
    }

    private static WorkspaceOrderResult ResultOf(Computer computer, Outcome<Computer> outcome)
    {
        var (record, failure) = (computer.State.Record, outcome.Failure);
        return new WorkspaceOrderResult(record.Id, record.Name, outcome.Succeeded, record.Status.Wire(), failure?.Message, failure?.Code);
    }

    [LoggerMessage(1240, LogLevel.Error, "An order to a workspace failed unexpectedly")]
    private static partial void Unexpected(ILogger log, Exception bug);
}
