using Carrel.Contracts.Api;
using Carrel.Server.Accounts;
using Carrel.Server.Errors;
using Carrel.Server.Hosting;

namespace Carrel.Server.Computers;

/// <summary>
/// Long work as the API shows it (reference section 4.7): the 202 of <c>?async=true</c>, and how it goes, for a week after it ended,
/// also when its computer is gone.
/// </summary>
internal sealed class OperationViews(ComputerLookup lookup, ComputerRegistry registry, ComputerStore store, PublicAddress address)
{
    /// <summary>Whether <c>?async=true</c> stands there; null where it says neither.</summary>
    public static bool? IsAsync(HttpRequest request) => request.Query["async"].ToString() switch
    {
        "" or "false" or "0" => false,
        "true" or "1" => true,
        _ => null,
    };

    public static Problem InvalidAsync() =>
        new Contracts.Failure(Contracts.ErrorCodes.InvalidField, "The query parameter async must be true or false.").AsProblem();

    public string UrlOf(HttpContext context, string computerId, Guid operation) =>
        $"{address.BaseOf(context.Request)}/api/computers/{computerId}/operations/{operation}";

    /// <summary>The 202 of an operation that was begun, once it is written down. Also names where to ask after it.</summary>
    public async Task<IResult> AcceptedAsync(HttpContext context, Computer computer, Operation operation)
    {
        await operation.Recorded;
        var url = UrlOf(context, computer.Id, operation.Id);
        context.Response.Headers.Location = url;
        return Results.Json(
            new LifecycleAnswer(true, computer.State.Status.Wire(), operation.Id.ToString(), url), ApiJson.Default.LifecycleAnswer, statusCode: 202);
    }

    public async Task<IResult> ListAsync(HttpContext context, string id)
    {
        var (computer, problem) = lookup.Find(context, id);
        return problem ?? Results.Json(
            new OperationList([.. (await store.OperationsAsync(computer!.Id)).Select(Of)]), ApiJson.Default.OperationList);
    }

    /// <param name="id">Of its computer, where the address names one.</param>
    public async Task<IResult> GetAsync(HttpContext context, string? id, string operation)
    {
        var missing = id is null ? $"No operation {operation}." : $"No operation {operation} of computer {id}.";
        if (await store.OperationAsync(operation.ToLowerInvariant()) is not { } row || id is not null && !Names(id, row))
        {
            return Problem.NotFound(missing);
        }

        // A computer may have moved since; one that is gone stays where it was.
        var workspace = registry.Find(row.ComputerId)?.State.Record.WorkspaceId ?? row.WorkspaceId;
        return context.Refusal(row.AccountId, workspace, missing) is { } refusal ? refusal : Results.Json(Of(row), ApiJson.Default.OperationAnswer);
    }

    private static bool Names(string id, OperationRow row)
    {
        var bare = id.StartsWith("orgo-", StringComparison.OrdinalIgnoreCase) ? id[5..] : id;
        return bare.Equals(row.ComputerId, StringComparison.OrdinalIgnoreCase) || bare.Equals(row.InstanceId, StringComparison.OrdinalIgnoreCase);
    }

    private static OperationAnswer Of(OperationRow row) => new(
        row.Id, row.ComputerId, row.Kind, row.Status, row.Error, DateTimeOffset.FromUnixTimeMilliseconds(row.CreatedAt),
        row.FinishedAt is { } finished ? DateTimeOffset.FromUnixTimeMilliseconds(finished) : null);
}
